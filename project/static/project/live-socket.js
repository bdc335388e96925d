// <live-socket path>: the one connection of the page. What comes in is dispatched on document as `rapport:frame`; only
// "typing" goes out. It connects again by itself; `rapport:line` says whether it is up, down or refused.
const REFUSED = [4401, 4403]
const SILENCE = 40000 // ms without any frame: the line is dead, whatever the browser thinks
const LONGEST_WAIT = 15000 // ms
const say = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }))

customElements.define("live-socket", class extends HTMLElement {
  #socket = null
  #wait = 1000
  #heard = 0
  #watch
  #retry

  connectedCallback() {
    document.addEventListener("rapport:typing", this.#send)
    document.addEventListener("visibilitychange", this.#check)
    window.addEventListener("online", this.#connect)
    this.#watch = setInterval(this.#check, 5000)
    this.#connect()
  }

  disconnectedCallback() {
    document.removeEventListener("rapport:typing", this.#send)
    document.removeEventListener("visibilitychange", this.#check)
    window.removeEventListener("online", this.#connect)
    clearInterval(this.#watch)
    clearTimeout(this.#retry)
    this.#socket?.close()
  }

  #connect = () => {
    if (this.#socket || !this.isConnected) return
    clearTimeout(this.#retry)
    const head = document.querySelector("live-feed")?.getAttribute("since") ?? ""
    const scheme = location.protocol === "https:" ? "wss:" : "ws:"
    const socket = new WebSocket(`${scheme}//${location.host}${this.getAttribute("path")}?since=${head}`)
    this.#socket = socket
    this.#heard = Date.now()
    socket.onopen = () => { this.#wait = 1000; say("rapport:line", "up") }
    socket.onmessage = ({ data }) => { this.#heard = Date.now(); say("rapport:frame", JSON.parse(data)) }
    socket.onclose = ({ code }) => { if (this.#socket === socket) this.#closed(code) }
  }

  #closed(code) {
    if (REFUSED.includes(code)) return say("rapport:line", "refused")
    this.#socket = null
    if (!this.isConnected) return
    say("rapport:line", "down")
    this.#retry = setTimeout(this.#connect, this.#wait * (0.5 + Math.random()))
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT)
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
})
