// <visitor-unsent>: one message that is not stored yet, with what became of it.
customElements.define("visitor-unsent", class extends HTMLElement {
  show({ cid, text, files, state, reason }) {
    this.dataset.unsent = cid
    this.firstElementChild.dataset.state = state
    this.querySelector(".message__text").textContent = text
    this.querySelector(".message__names").textContent = files.map((file) => file.name).join(", ")
    this.querySelector("[data-reason]").textContent = reason
    this.querySelector("[data-again]").onclick = () => this.#ask("visitor:again")
    this.querySelector("[data-edit]").onclick = () => this.#ask("visitor:take-back")
    return this
  }

  #ask = (what) => this.dispatchEvent(new CustomEvent(what, { detail: this.dataset.unsent, bubbles: true }))
})
