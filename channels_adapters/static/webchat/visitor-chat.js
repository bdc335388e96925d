// <visitor-chat>: who the visitor is, whether they look, and the requests that its parts make. Loaded after its parts.
customElements.define("visitor-chat", class extends HTMLElement {
  #asked = new URLSearchParams(location.search)
  #isOpen = false
  async connectedCallback() {
    this.dataset.offset = Number(this.dataset.now) - Date.now() // what to add to this machine's clock
    this.querySelector("[data-close]")?.addEventListener("click", this.#close)
    this.addEventListener("keydown", (event) => event.key === "Escape" && !event.isComposing && this.#close())
    window.addEventListener("message", this.#hear)
    document.addEventListener("visibilitychange", this.#look)
    await this.#recognise()
    this.#look()
    this.dispatchEvent(new Event("visitor:ready"))
    this.tell({ rapport: "ready" })
  }

  disconnectedCallback() {
    window.removeEventListener("message", this.#hear)
    document.removeEventListener("visibilitychange", this.#look)
  }

  ask = (address, options = {}) => fetch(address, { ...options, headers: { ...options.headers, "X-Visitor": this.dataset.token } })

  post = (fields) => this.ask(this.dataset.hook, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ visitor: this.dataset.token.split(":")[0], at: Date.now() + Number(this.dataset.offset), ...fields }),
  })

  origin = () => ({ page: this.#asked.get("page") || location.href, referrer: this.#asked.get("referrer") || document.referrer, language: navigator.language })

  async pull() {
    const answer = await this.ask(`${this.dataset.messages}?since=${this.dataset.cursor ?? ""}`)
    if (answer.ok) this.show(await answer.text())
    return answer.status
  }

  show = (html) => this.dispatchEvent(new CustomEvent("visitor:html", { detail: html }))
  tell = (what) => this.hasAttribute("data-embedded") && window.parent.postMessage(what, "*") // says only that, and a count
  #close = () => this.tell({ rapport: "close" })

  async #recognise() { // the cookie, which the page's token came from; else what was kept where cookies are blocked
    const memory = this.querySelector("visitor-memory"), fresh = this.dataset.token
    const kept = this.hasAttribute("data-new") ? await memory.recall() : ""
    if (kept) this.dataset.token = kept
    if (kept && (await this.pull().catch(() => 0)) === 403) this.dataset.token = fresh
    if (this.dataset.token) memory.keep(this.dataset.token)
  }

  #hear = (event) => {
    if (event.source !== window.parent || !["opened", "closed"].includes(event.data?.rapport)) return
    this.#isOpen = event.data.rapport === "opened"
    this.#look()
    if (this.#isOpen) this.querySelector("textarea").focus()
  }

  #look = () => {
    this.toggleAttribute("data-seen", document.visibilityState === "visible" && (this.#isOpen || !this.hasAttribute("data-embedded")))
    this.dispatchEvent(new Event("visitor:looks"))
  }
})
