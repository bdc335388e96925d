// <connection-state lost ended failed sign-in>: a quiet word when the line is down for longer than two seconds, when a
// button's request failed, or when the session has ended: then a form is answered with the sign-in page.
const FAILURES = ["htmx:responseError", "htmx:sendError"]

customElements.define("connection-state", class extends HTMLElement {
  #soon

  connectedCallback() {
    document.addEventListener("rapport:line", this.#take)
    document.addEventListener("htmx:beforeSwap", this.#notice)
    for (const name of FAILURES) document.addEventListener(name, this.#fail)
  }

  disconnectedCallback() {
    document.removeEventListener("rapport:line", this.#take)
    document.removeEventListener("htmx:beforeSwap", this.#notice)
    for (const name of FAILURES) document.removeEventListener(name, this.#fail)
    clearTimeout(this.#soon)
  }

  #take = ({ detail: state }) => {
    if (state === "refused") this.#end()
    else if (state === "down") this.#soon ??= setTimeout(() => this.#show(this.getAttribute("lost")), 2000)
    else if (this.dataset.state !== "ended") this.#clear()
  }

  #notice = (event) => {
    if (!event.detail.xhr?.responseURL.includes(this.getAttribute("sign-in"))) return
    event.detail.shouldSwap = false
    this.#end()
  }

  #fail = ({ target, detail }) => {
    if (this.dataset.state === "ended" || detail.requestConfig?.verb === "get" || target.closest?.("form:has(draft-text)")) return
    this.#show(this.getAttribute("failed"))
    setTimeout(() => { if (!this.#soon && this.dataset.state !== "ended") this.hidden = true }, 5000)
  }

  #end() {
    this.#clear()
    this.dataset.state = "ended"
    this.querySelector("a").hidden = false
    this.#show(this.getAttribute("ended"))
  }

  #clear() {
    clearTimeout(this.#soon)
    this.#soon = undefined
    this.hidden = true
  }

  #show(words) {
    this.querySelector("span").textContent = words
    this.hidden = false
  }
})
