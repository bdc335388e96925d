// <visitor-typing hidden>: says which agent is writing, until they send or stop.
customElements.define("visitor-typing", class extends HTMLElement {
  connectedCallback() {
    const chat = this.closest("visitor-chat")
    chat.addEventListener("visitor:writes", (event) => this.#show(event.detail))
    chat.addEventListener("visitor:answered", () => this.#show(""))
  }

  #show(who) {
    clearTimeout(this.timer)
    this.hidden = !who
    this.querySelector("bdi").textContent = who
    if (!who) return
    this.timer = setTimeout(() => this.#show(""), 6000)
    this.scrollIntoView({ block: "nearest" })
  }
})
