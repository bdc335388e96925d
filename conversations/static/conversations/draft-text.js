// <draft-text conversation mode>: what is being written survives a reload, Ctrl+Enter sends it, and the customer sees
// that somebody types.
const PAUSE = 3000 // ms between two signs of typing

customElements.define("draft-text", class extends HTMLElement {
  #told = 0

  connectedCallback() {
    this.text = this.querySelector("textarea")
    this.form = this.closest("form")
    this.text.value ||= sessionStorage.getItem(this.#key) ?? ""
    this.text.addEventListener("input", this.#write)
    this.text.addEventListener("keydown", this.#press)
    this.form.addEventListener("submit", this.#sent)
    for (const name of ["htmx:beforeSwap", "htmx:sendError", "htmx:responseError"]) this.form.addEventListener(name, this.#answered)
  }

  disconnectedCallback() {
    for (const name of ["htmx:beforeSwap", "htmx:sendError", "htmx:responseError"]) this.form.removeEventListener(name, this.#answered)
  }

  get #key() { return `draft-${this.getAttribute("mode")}-${this.getAttribute("conversation")}` }

  #write = () => {
    if (this.text.value) sessionStorage.setItem(this.#key, this.text.value)
    else sessionStorage.removeItem(this.#key)
    if (this.getAttribute("mode") !== "reply" || Date.now() - this.#told < PAUSE) return
    this.#told = Date.now()
    document.dispatchEvent(new CustomEvent("rapport:typing", { detail: Number(this.getAttribute("conversation")) }))
  }

  #press = (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return
    event.preventDefault()
    this.form.requestSubmit()
  }

  #sent = () => { this.querySelector(".problem").hidden = true }

  #answered = (event) => {
    if (event.target !== this.form) return
    const isError = event.type !== "htmx:beforeSwap"
    if (!isError && event.detail.xhr.status === 200) sessionStorage.removeItem(this.#key)
    this.querySelector(".problem").hidden = !isError
  }
})
