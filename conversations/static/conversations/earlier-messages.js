// <earlier-messages>: the link to what was said before. When it is replaced by that, the reader stays where they are, and
// a day that began on the earlier page is not named twice.
customElements.define("earlier-messages", class extends HTMLElement {
  connectedCallback() {
    this.addEventListener("htmx:beforeSwap", this.#hold)
  }

  #hold = () => {
    const timeline = this.closest("message-timeline")
    const fromEnd = timeline.scrollHeight - timeline.scrollTop
    timeline.addEventListener("htmx:afterSwap", () => {
      this.#nameDaysOnce(timeline)
      timeline.scrollTop = timeline.scrollHeight - fromEnd
    }, { once: true })
  }

  #nameDaysOnce(timeline) {
    const named = new Set()
    for (const day of timeline.querySelectorAll("[data-day]")) {
      if (named.has(day.dataset.day)) day.remove()
      named.add(day.dataset.day)
    }
  }
})
