// <view-counts member>: the figures beside the views, and the one on the rail, as conversations come and go.
customElements.define("view-counts", class extends HTMLElement {
  connectedCallback() {
    document.addEventListener("rapport:events", this.#take)
    this.#write("mine", this.querySelector('[data-count="mine"]')?.textContent ?? 0)
  }

  disconnectedCallback() {
    document.removeEventListener("rapport:events", this.#take)
  }

  #take = ({ detail: { counts } }) => {
    if (counts?.all === undefined) return
    this.#write("mine", counts.by_member[this.getAttribute("member")] ?? 0)
    this.#write("unassigned", counts.unassigned)
    this.#write("all", counts.all)
  }

  #write(name, count) {
    for (const place of document.querySelectorAll(`[data-count="${name}"]`)) {
      place.textContent = count
      if (place.matches(".rail__count")) place.hidden = Number(count) === 0
    }
  }
})
