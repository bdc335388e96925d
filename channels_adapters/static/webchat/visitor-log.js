// <visitor-log>: the messages that are stored, each in its place and once; tells when ours were seen.
customElements.define("visitor-log", class extends HTMLElement {
  #chat = null
  #scroll = null
  #marked = ""

  connectedCallback() {
    this.#chat = this.closest("visitor-chat")
    this.#scroll = this.closest("[role=log]")
    this.#chat.addEventListener("visitor:html", (event) => this.#take(event.detail))
    this.#chat.addEventListener("visitor:looks", this.#noteSeen)
    this.#chat.addEventListener("visitor:sends", () => this.#toEnd())
    const written = this.innerHTML
    this.replaceChildren()
    this.#take(written)
  }

  #take(html) {
    const holder = document.createElement("template")
    holder.innerHTML = html
    const batch = holder.content.firstElementChild
    const wasAtEnd = this.#scroll.scrollHeight - this.#scroll.scrollTop - this.#scroll.clientHeight < 80
    for (const message of [...batch.children]) this.#place(message)
    this.#chat.dataset.cursor = batch.dataset.cursor
    this.#chat.dataset.offset = Number(batch.dataset.now) - Date.now()
    if (batch.querySelector("[data-from=us]")) this.#chat.dispatchEvent(new Event("visitor:answered"))
    if (wasAtEnd) this.#toEnd()
    this.#noteSeen()
  }

  #place(message) {
    for (const link of message.querySelectorAll(".message__text a")) Object.assign(link, { target: "_blank", rel: "noopener nofollow" })
    for (const time of message.querySelectorAll("time")) time.textContent = this.#words(new Date(time.dateTime))
    if (message.dataset.cid) this.#chat.dispatchEvent(new CustomEvent("visitor:stored", { detail: message.dataset.cid }))
    const known = document.getElementById(message.id)
    if (known) return known.replaceWith(message)
    const place = ({ dataset }) => dataset.cursor.split(".").reduce((before, number) => before * 2 ** 26 + Number(number), 0)
    this.insertBefore(message, [...this.children].find((other) => place(other) > place(message)) ?? null)
  }

  #words(at) {
    const isToday = at.toDateString() === new Date().toDateString()
    return at.toLocaleString(undefined, isToday ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" })
  }

  #noteSeen = async () => {
    if (!this.#chat.post) return // the page begins; it looks again when it is ready
    const unread = [...this.querySelectorAll("[data-unread]")]
    const isSeen = this.#chat.hasAttribute("data-seen"), last = unread.at(-1)?.dataset.cursor
    this.#chat.tell({ rapport: "unread", count: isSeen ? 0 : unread.length })
    if (!isSeen || !last || last === this.#marked) return
    this.#marked = last
    const answer = await this.#chat.post({ kind: "read" }).catch(() => null)
    if (!answer?.ok) this.#marked = ""
  }

  #toEnd = () => { this.#scroll.scrollTop = this.#scroll.scrollHeight }
})
