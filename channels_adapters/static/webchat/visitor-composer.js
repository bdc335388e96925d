// <visitor-composer>: Enter sends, Shift+Enter is a new line; a draft survives a reload.
customElements.define("visitor-composer", class extends HTMLElement {
  #chat = null
  #text = null
  #files = null
  #typedAt = 0

  connectedCallback() {
    this.#chat = this.closest("visitor-chat")
    this.#text = this.querySelector("textarea")
    this.#files = this.querySelector("visitor-files")
    this.querySelector("form").addEventListener("submit", this.#send)
    this.#text.addEventListener("keydown", this.#press)
    this.#text.addEventListener("input", this.#typed)
    this.addEventListener("visitor:files", this.#look)
    this.#chat.addEventListener("visitor:ready", this.#begin)
    this.#chat.addEventListener("visitor:edit", (event) => { this.#text.value = event.detail.text; this.#text.focus(); this.#look() })
  }

  get #draft() { return `rapport.draft.${this.#chat.dataset.key}` }

  #begin = () => {
    const isKnown = this.#chat.dataset.token !== ""
    this.querySelector("[data-too-many]")?.toggleAttribute("hidden", isKnown)
    this.#text.disabled = this.querySelector("input[type=file]").disabled = !isKnown
    try { this.#text.value ||= sessionStorage.getItem(this.#draft) ?? "" } catch { /* storage is blocked */ }
    if (!this.#chat.hasAttribute("data-embedded") && matchMedia("(hover: hover)").matches) this.#text.focus()
    this.#look()
  }

  #press = (event) => event.key === "Enter" && !event.shiftKey && !event.isComposing && this.#send(event)

  #typed = () => {
    this.#look()
    if (!this.#text.value || Date.now() - this.#typedAt < 2500) return
    this.#typedAt = Date.now()
    this.#chat.dispatchEvent(new Event("visitor:typing"))
  }

  #send = (event) => {
    this.#typedAt = 0 // what they write next is news again
    event.preventDefault()
    if (this.#files.isUploading || this.#text.disabled) return
    const text = this.#text.value.trim(), name = this.querySelector("[name=name]")
    const files = this.#files.takeAll()
    if (!text && !files.length) return this.#text.focus()
    this.#chat.dispatchEvent(new CustomEvent("visitor:send", { detail: { text, files, name: name?.value ?? "" } }))
    name?.remove()
    this.#text.value = ""
    this.#look()
    this.#text.focus()
  }

  #look = () => { // what may be sent; an older browser's box grows by its lines
    const isEmpty = !this.#text.value.trim() && !this.querySelector("[data-token]")
    this.querySelector(".composer__send").ariaDisabled = String(isEmpty || this.#files.isUploading)
    if (!CSS.supports("field-sizing", "content")) this.#text.rows = Math.min(6, this.#text.value.split("\n").length)
    try { sessionStorage.setItem(this.#draft, this.#text.value) } catch { /* storage is blocked */ }
  }
})
