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
    this.addEventListener("click", this.#choose)
    document.addEventListener("rapport:events", this.#take)
    document.addEventListener("htmx:pushedIntoHistory", this.#select)
    this.#select()
  }

  disconnectedCallback() {
    document.removeEventListener("rapport:events", this.#take)
    document.removeEventListener("htmx:pushedIntoHistory", this.#select)
    clearTimeout(this.#timer)
  }

  get #rows() { return this.querySelector(".list__rows") }

  #take = ({ detail }) => {
    for (const html of detail.rows) {
      const row = document.createRange().createContextualFragment(html).querySelector(".conversation")
      this.#renew(row)
      this.#moving.set(row.id, row)
    }
    clearTimeout(this.#timer)
    if (this.matches(":hover")) this.#timer = setTimeout(this.#settle, PATIENCE)
    else this.#settle()
  }

  #renew(row) {
    const known = document.getElementById(row.id)
    if (!known) return
    const hadFocus = known === document.activeElement
    known.replaceWith(row)
    htmx.process(row)
    if (hadFocus) row.focus({ preventScroll: true })
  }

  #settle = () => {
    clearTimeout(this.#timer)
    for (const row of this.#moving.values()) this.#place(row)
    this.#moving.clear()
    this.#select()
  }

  #place(row) {
    const view = this.getAttribute("view")
    if (!view) return // a search finds what it found; known rows stay fresh
    if (!fits[view](row, this)) return row.remove()
    const others = [...this.#rows.children].filter((one) => one !== row)
    const next = others.find((one) => one.matches(".list__more") || Number(one.dataset.at) < Number(row.dataset.at))
    if (next?.matches(".list__more") && !row.isConnected) return // it comes with its page
    if (row.isConnected && row.nextElementSibling === (next ?? null)) return
    const hadFocus = row === document.activeElement
    this.#rows.insertBefore(row, next ?? null)
    htmx.process(row)
    if (hadFocus) row.focus({ preventScroll: true })
  }

  #choose = (event) => {
    const row = event.target.closest(".conversation")
    if (row && !event.ctrlKey && !event.metaKey) this.#mark(row.id)
  }

  #select = () => {
    const open = location.pathname.match(/\/inbox\/(\d+)\/$/)
    this.#mark(open && `row-${open[1]}`)
  }

  #mark(id) {
    for (const row of this.querySelectorAll(".conversation")) row.setAttribute("aria-selected", row.id === id)
  }
})
