// <message-timeline conversation>: one place for entries, however they come: by socket, by pull, by a form's answer.
// A known entry is replaced, a new one goes where its seq says. It follows the end only for a reader who is there.
const NEAR = 120 // px
const parsed = (html) => [...document.createRange().createContextualFragment(html).children]

customElements.define("message-timeline", class extends HTMLElement {
  #pill
  #isAtEnd = true

  connectedCallback() {
    this.#pill = this.parentElement.querySelector(".timeline__pill")
    this.#pill.addEventListener("click", this.#toEnd)
    this.addEventListener("scroll", this.#look, { passive: true })
    this.addEventListener("load", () => this.#isAtEnd && this.#toEnd(), true) // a picture has grown
    this.addEventListener("htmx:afterSettle", ({ target }) => target.matches(".route__why") && target.scrollIntoView({ block: "nearest" }))
    document.addEventListener("rapport:events", this.#take)
    document.addEventListener("htmx:oobBeforeSwap", this.#takeAnswer)
    this.#toEnd()
  }

  disconnectedCallback() {
    document.removeEventListener("rapport:events", this.#take)
    document.removeEventListener("htmx:oobBeforeSwap", this.#takeAnswer)
  }

  #take = ({ detail }) => {
    const ours = detail.entries.filter((entry) => String(entry.conversation) === this.getAttribute("conversation"))
    const isNew = ours.flatMap((entry) => parsed(entry.html)).map((entry) => this.#place(entry)).some(Boolean)
    if (this.#isAtEnd) this.#toEnd()
    else if (isNew) this.#pill.hidden = false
  }

  #takeAnswer = (event) => {
    if (event.detail.target !== this) return
    event.detail.shouldSwap = false
    for (const entry of [...event.detail.fragment.children]) this.#place(entry)
    if (!this.querySelector(".route[open]")) this.#toEnd()
  }

  #place(entry) { // true when it was not there before
    const known = document.getElementById(entry.id)
    if (known?.open && known.contains(document.activeElement)) return false // somebody is correcting it
    if (known) known.replaceWith(entry)
    else this.#insert(entry)
    htmx.process(entry)
    return !known
  }

  #insert(entry) {
    const seq = Number(entry.dataset.seq) // NaN for a line: it goes to the end
    const before = [...this.children].filter((one) => Number(one.dataset.seq) <= seq).at(-1)
    const isLast = !before || ![...this.children].some((one) => Number(one.dataset.seq) > seq)
    entry.classList.add("message--new")
    if (before && (!isLast || before.dataset.seq === entry.dataset.seq)) return before.after(entry)
    this.#startDay()
    this.append(entry)
  }

  #startDay() {
    const days = this.querySelectorAll(".day")
    const last = days[days.length - 1]
    const began = last?.querySelector("time")?.dateTime
    if (last && (!began || new Date(began).toDateString() === new Date().toDateString())) return
    this.append(document.getElementById("today").content.cloneNode(true))
  }

  #look = () => {
    this.#isAtEnd = this.scrollHeight - this.scrollTop - this.clientHeight < NEAR
    if (this.#isAtEnd) this.#pill.hidden = true
  }

  #toEnd = () => { this.scrollTop = this.scrollHeight }
})
