// <chosen-row>: marks the row of the conversation that is open, whoever has put the row there.
customElements.define("chosen-row", class extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this.#choose)
    document.addEventListener("rapport:row", this.#select)
    document.addEventListener("htmx:pushedIntoHistory", this.#select)
    document.addEventListener("htmx:afterSettle", this.#select)
    this.#select()
  }

  disconnectedCallback() {
    document.removeEventListener("rapport:row", this.#select)
    document.removeEventListener("htmx:pushedIntoHistory", this.#select)
    document.removeEventListener("htmx:afterSettle", this.#select)
  }

  #choose = (event) => { // at once, before the answer is here
    const row = event.target.closest(".conversation")
    if (row && !event.ctrlKey && !event.metaKey) this.#mark(row.id)
  }

  #select = () => {
    const open = location.pathname.match(/\/inbox\/(\d+)\/$/)
    this.#mark(open ? `row-${open[1]}` : "")
  }

  #mark(id) {
    for (const row of this.querySelectorAll(".conversation")) row.setAttribute("aria-selected", row.id === id)
  }
})
