// <typing-notes>: shows in the list and in the thread who is typing, for six seconds after the last sign of it.
const LASTS = 6000

customElements.define("typing-notes", class extends HTMLElement {
  #timers = new Map()

  connectedCallback() {
    document.addEventListener("rapport:somebody-types", this.#show)
    document.addEventListener("rapport:events", this.#arrived)
  }

  disconnectedCallback() {
    document.removeEventListener("rapport:somebody-types", this.#show)
    document.removeEventListener("rapport:events", this.#arrived)
    this.#timers.forEach(clearTimeout)
  }

  #show = ({ detail: { conversation, who, is_customer: isCustomer } }) => {
    if (!isCustomer && document.activeElement?.closest(`[conversation="${conversation}"]`)) return // it is us
    const line = document.getElementById(`typing-${conversation}`)
    if (line) {
      line.querySelector("bdi").textContent = who
      line.hidden = false
    }
    if (isCustomer) document.getElementById(`row-${conversation}`)?.setAttribute("data-typing", "")
    clearTimeout(this.#timers.get(conversation))
    this.#timers.set(conversation, setTimeout(() => this.#hide(conversation), LASTS))
  }

  #arrived = ({ detail }) => {
    for (const { conversation, html } of detail.entries) if (html.includes("message--")) this.#hide(conversation)
  }

  #hide(conversation) {
    clearTimeout(this.#timers.get(conversation))
    this.#timers.delete(conversation)
    document.getElementById(`row-${conversation}`)?.removeAttribute("data-typing")
    document.getElementById(`typing-${conversation}`)?.setAttribute("hidden", "")
  }
})
