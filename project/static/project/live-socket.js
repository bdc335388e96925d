// <live-socket>: the one connection of the page. What comes in is dispatched on document as `rapport:frame`; only
// "typing" goes out. It connects again by itself, and says so when that takes longer than two seconds.
const SIGNED_OUT = [4401, 4403]
const SILENCE = 40000 // ms without any frame: the line is dead, whatever the browser thinks
const say = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }))

customElements.define("live-socket", class extends HTMLElement {
  #socket = null
  #wait = 1000
  #heard = 0
  #timers = {}

  connectedCallback() {
    document.addEventListener("rapport:typing", this.#send)
    document.addEventListener("visibilitychange", this.#check)
    document.addEventListener("htmx:beforeSwap", this.#notice)
    window.addEventListener("online", this.#connect)
    this.#timers.watch = setInterval(this.#check, 5000)
    this.#connect()
  }

  disconnectedCallback() {
    document.removeEventListener("rapport:typing", this.#send)
    document.removeEventListener("visibilitychange", this.#check)
    document.removeEventListener("htmx:beforeSwap", this.#notice)
    window.removeEventListener("online", this.#connect)
    Object.values(this.#timers).forEach(clearTimeout)
    this.#socket?.close()
  }

  #connect = () => {
    if (this.#socket || !this.isConnected || this.dataset.ended) return
    clearTimeout(this.#timers.retry)
    const head = document.querySelector("live-feed")?.getAttribute("since") ?? ""
    const scheme = location.protocol === "https:" ? "wss:" : "ws:"
    const socket = new WebSocket(`${scheme}//${location.host}${this.getAttribute("path")}?since=${head}`)
    this.#socket = socket
    this.#heard = Date.now()
    socket.onopen = () => this.#opened()
    socket.onmessage = ({ data }) => { this.#heard = Date.now(); say("rapport:frame", JSON.parse(data)) }
    socket.onclose = ({ code }) => { if (this.#socket === socket) this.#closed(code) }
  }

  #opened() {
    this.#wait = 1000
    clearTimeout(this.#timers.banner)
    delete this.#timers.banner
    this.hidden = true
  }

  #closed(code) {
    this.#socket = null
    if (!this.isConnected) return
    if (SIGNED_OUT.includes(code)) return this.#end()
    this.#timers.banner ??= setTimeout(() => this.#show(this.getAttribute("lost")), 2000)
    this.#timers.retry = setTimeout(this.#connect, this.#wait * (0.5 + Math.random()))
    this.#wait = Math.min(this.#wait * 2, 15000)
  }

  #check = () => {
    if (!this.#socket && !document.hidden) this.#connect()
    if (!this.#socket || Date.now() - this.#heard < SILENCE) return
    const dead = this.#socket
    this.#closed(1006)
    dead.close()
  }

  #send = ({ detail }) => {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ typing: detail }))
  }

  #notice = (event) => { // a form that was answered with the sign-in page
    if (!event.detail.xhr?.responseURL.includes(this.getAttribute("sign-in"))) return
    event.detail.shouldSwap = false
    this.#end()
  }

  #end() {
    this.dataset.ended = "true"
    this.#show(this.getAttribute("ended"))
  }

  #show(words) {
    this.textContent = words
    this.hidden = false
  }
})
