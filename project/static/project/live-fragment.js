// <live-fragment hx-get hx-trigger>: a part that htmx loads anew when something happened. It is left alone while
// somebody uses a field in it, and loaded when they leave it.
customElements.define("live-fragment", class extends HTMLElement {
  #isLate = false

  connectedCallback() {
    this.addEventListener("htmx:beforeSwap", this.#hold)
    this.addEventListener("focusout", this.#release)
  }

  disconnectedCallback() {
    this.removeEventListener("htmx:beforeSwap", this.#hold)
    this.removeEventListener("focusout", this.#release)
  }

  #hold = (event) => {
    const isOurs = event.detail.target === this && event.detail.requestConfig.verb === "get"
    if (!isOurs || !this.querySelector(":is(select, input, textarea):focus, details[open]")) return
    event.detail.shouldSwap = false
    this.#isLate = true
  }

  #release = () => {
    if (!this.#isLate) return
    this.#isLate = false
    htmx.ajax("GET", this.getAttribute("hx-get"), { source: this, target: this, swap: "innerHTML" })
  }
})
