// <conversation-list view member>: puts rows where they belong as things happen. No row moves under the pointer:
// its text changes at once, its place when the pointer has left or after three seconds.
const PATIENCE = 3000
const fits = {
  mine: (row, list) => row.dataset.status === "open" && row.dataset.assignee === list.getAttribute("member"),
  unassigned: (row) => row.dataset.status === "open" && !row.dataset.assignee,
  all: (row) => row.dataset.status === "open",
  resolved: (row) => row.dataset.status === "resolved",
}

customElements.define("conversation-list", class extends HTMLElement {
  #moving = new Map()
  #timer

  connectedCallback() {
    this.addEventListener("pointerleave", this.#settle)
    document.addEventListener("rapport:events", this.#take)
    const search = document.getElementById("search")
    if (this.getAttribute("view") && search !== document.activeElement) search.value = "" // a view was chosen instead
  }

  disconnectedCallback() {
    document.removeEventListener("rapport:events", this.#take)
    clearTimeout(this.#timer)
  }

  #take = ({ detail }) => {
    for (const html of detail.rows) {
      const row = document.createRange().createContextualFragment(html).querySelector(".conversation")
      const known = document.getElementById(row.id)
      if (known) this.#put(row, known === document.activeElement, () => known.replaceWith(row))
      this.#moving.set(row.id, row)
    }
    clearTimeout(this.#timer)
    if (this.matches(":hover")) this.#timer = setTimeout(this.#settle, PATIENCE)
    else this.#settle()
  }

  #settle = () => {
    clearTimeout(this.#timer)
    if (this.getAttribute("view")) this.#moving.forEach((row) => this.#place(row)) // a search only keeps its rows fresh
    this.#moving.clear()
  }

  #place(row) {
    if (!fits[this.getAttribute("view")](row, this)) return row.remove()
    const rows = this.querySelector(".list__rows")
    const isAfter = (one) => one.matches(".list__more") || Number(one.dataset.at) < Number(row.dataset.at)
    const next = [...rows.children].find((one) => one !== row && isAfter(one)) ?? null
    if (row.isConnected ? row.nextElementSibling === next : next?.matches(".list__more")) return // there, or it comes with its page
    this.#put(row, row === document.activeElement, () => rows.insertBefore(row, next))
  }

  #put(row, hadFocus, move) {
    move()
    htmx.process(row)
    document.dispatchEvent(new CustomEvent("rapport:row", { detail: row }))
    if (hadFocus) row.focus({ preventScroll: true })
  }
})
