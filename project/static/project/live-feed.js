// <live-feed since pull>: keeps the page's place in the workspace's events. A frame that is the next one is applied;
// after a gap, and while the socket is down, it asks for what was missed. It writes no HTML itself.
const say = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }))

customElements.define("live-feed", class extends HTMLElement {
  #pulling = false
  #line = "down"
  #soon
  #every

  connectedCallback() {
    document.addEventListener("rapport:line", this.#hear)
    document.addEventListener("rapport:frame", this.#take)
    document.addEventListener("rapport:behind", this.#behind)
    this.#every = setInterval(() => { if (!document.hidden && this.#line === "down") this.#pull() }, 15000)
  }

  disconnectedCallback() {
    document.removeEventListener("rapport:line", this.#hear)
    document.removeEventListener("rapport:frame", this.#take)
    document.removeEventListener("rapport:behind", this.#behind)
    clearInterval(this.#every)
    clearTimeout(this.#soon)
  }

  get #head() { return Number(this.getAttribute("since")) }
  set #head(number) { this.setAttribute("since", number) }

  #hear = ({ detail }) => { this.#line = detail }

  #take = ({ detail: frame }) => {
    if (frame.type === "typing") say("rapport:somebody-types", frame)
    else if (frame.type === "heartbeat" && frame.head !== this.#head) this.#behind()
    else if (frame.type === "reset") this.#reset(frame)
    else if (frame.type === "events" && frame.to > this.#head) frame.from === this.#head ? this.#apply(frame) : this.#pull()
  }

  #apply(frame) {
    this.#head = frame.to
    say("rapport:events", frame)
    for (const conversation of frame.touched) say(`rapport:conversation-${conversation}`, frame)
  }

  #reset(frame) {
    this.#head = frame.to
    say("rapport:reset", frame)
  }

  #behind = () => { // the frame is most likely on its way
    clearTimeout(this.#soon)
    const head = this.#head
    this.#soon = setTimeout(() => { if (head === this.#head) this.#pull() }, 700)
  }

  async #pull() {
    if (this.#pulling) return
    this.#pulling = true
    try {
      const answer = await fetch(`${this.getAttribute("pull")}?since=${this.#head}`)
      if (answer.ok && !answer.redirected) this.#take({ detail: await answer.json() })
    } catch { // no connection: the next heartbeat or the clock asks again
    } finally {
      this.#pulling = false
    }
  }
})
