// <visitor-socket data-path>: hears what is new. It comes back by itself; while it is away the page asks over HTTP.
customElements.define("visitor-socket", class extends HTMLElement {
  #chat = null
  #socket = null
  #tries = 0
  #heardAt = 0

  connectedCallback() {
    this.#chat = this.closest("visitor-chat")
    this.#chat.addEventListener("visitor:ready", () => { this.#open(); this.timer = setInterval(this.#watch, 5000) })
    this.#chat.addEventListener("visitor:typing", () => this.#socket?.readyState === 1 && this.#socket.send('{"typing":true}'))
    window.addEventListener("online", this.#hurry)
  }

  disconnectedCallback() {
    clearInterval(this.timer)
    window.removeEventListener("online", this.#hurry)
    this.#socket?.close()
  }

  #open = () => {
    if (!this.#chat.dataset.token || this.#socket?.readyState < 2) return
    const address = new URL(this.dataset.path, location.href.replace(/^http/, "ws"))
    address.search = new URLSearchParams({ token: this.#chat.dataset.token, since: this.#chat.dataset.cursor ?? "" })
    this.#heardAt = Date.now()
    this.#socket = new WebSocket(address)
    this.#socket.onopen = () => this.#online()
    this.#socket.onmessage = (event) => this.#hear(JSON.parse(event.data))
    this.#socket.onclose = (event) => this.#lost(event.code)
  }

  #online() {
    this.#tries = 0
    this.#chat.removeAttribute("data-offline")
    this.#chat.dispatchEvent(new Event("visitor:online"))
  }

  #hear(frame) {
    this.#heardAt = Date.now()
    if (frame.type === "messages") this.#chat.show(frame.html)
    if (frame.type === "typing") this.#chat.dispatchEvent(new CustomEvent("visitor:writes", { detail: frame.who }))
  }

  #lost(code) {
    if (code === 4403) return // an old token: the page over HTTP says what to do
    const wait = Math.min(30000, 1000 * 2 ** this.#tries++) * (0.5 + Math.random() / 2)
    if (this.#tries > 2) this.#chat.setAttribute("data-offline", "")
    setTimeout(this.#open, code === 4429 ? 30000 : wait)
  }

  #watch = async () => { // two heartbeats missed: the line is dead though nobody said so
    if (this.#socket?.readyState === 1 && Date.now() - this.#heardAt > 35000) this.#socket.close()
    if (this.#socket?.readyState === 1 || !this.#chat.dataset.token) return
    if ((await this.#chat.pull().catch(() => 0)) === 200) this.#chat.removeAttribute("data-offline")
  }

  #hurry = () => { this.#tries = 0; this.#open() }
})
