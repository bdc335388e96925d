// <message-timeline conversation>: one place for entries, however they come: by socket, by pull, by a form's answer.
// A known entry is replaced, a new one goes where its seq says. It follows the end only for a reader who is there.
const NEAR = 120 // px
const parsed = (html) => [...document.createRange().createContextualFragment(html).children]

customElements.define("message-timeline", class extends HTMLElement {
  #pill
  #fromEnd = 0

  connectedCallback() {
    this.#pill = this.parentElement.querySelector(".timeline__pill")
    this.#pill?.addEventListener("click", this.#toEnd)
    this.addEventListener("scroll", this.#seen, { passive: true })
    this.addEventListener("load", this.#grown, true)
    this.addEventListener("htmx:beforeSwap", this.#remember)
    this.addEventListener("htmx:afterSwap", this.#restore)
    document.addEventListener("rapport:events", this.#take)
    document.addEventListener("htmx:oobBeforeSwap", this.#takeAnswer)
    this.#toEnd()
  }

  disconnectedCallback() {
    document.removeEventListener("rapport:events", this.#take)
    document.removeEventListener("htmx:oobBeforeSwap", this.#takeAnswer)
  }

  get #isAtEnd() { return this.scrollHeight - this.scrollTop - this.clientHeight < NEAR }

  #take = ({ detail }) => {
    const wasAtEnd = this.#isAtEnd
    const ours = detail.entries.filter((entry) => String(entry.conversation) === this.getAttribute("conversation"))
    const isNew = ours.flatMap((entry) => parsed(entry.html)).map((entry) => this.#place(entry)).some(Boolean)
    if (wasAtEnd) this.#toEnd()
    else if (isNew && this.#pill) this.#pill.hidden = false
  }

  #takeAnswer = (event) => {
    if (event.detail.target !== this) return
    event.detail.shouldSwap = false
    for (const entry of [...event.detail.fragment.children]) this.#place(entry)
    this.#toEnd()
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
    const later = (one) => Number(one.dataset.seq) > Number(entry.dataset.seq)
    const next = entry.dataset.seq ? [...this.children].find(later) : undefined
    if (!next) this.#startDay()
    entry.classList.add("message--new")
    this.insertBefore(entry, next ?? null)
  }

  #startDay() {
    const days = this.querySelectorAll(".day time")
    const last = days[days.length - 1]
    if (last && new Date(last.dateTime).toDateString() === new Date().toDateString()) return
    if (this.querySelector(".day--today")) return
    this.append(document.getElementById("today").content.cloneNode(true))
  }

  #remember = () => { this.#fromEnd = this.scrollHeight - this.scrollTop }
  #restore = (event) => { if (event.target === this || event.detail.target.matches?.(".timeline__earlier")) this.scrollTop = this.scrollHeight - this.#fromEnd }
  #grown = () => { if (this.#isAtEnd || this.#pill?.hidden) this.#isAtEnd && this.#toEnd() }
  #seen = () => { if (this.#isAtEnd && this.#pill) this.#pill.hidden = true }
  #toEnd = () => { this.scrollTop = this.scrollHeight }
})
