// <local-time show="ago|clock|day"><time datetime>: the moment in the reader's own zone and language, kept fresh.
// The server has written a text already; this one only replaces it.
const shown = new Set()
const language = document.documentElement.lang || undefined
const formats = {
  exact: new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" }),
  clock: new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  date: new Intl.DateTimeFormat(language, { day: "numeric", month: "short" }),
  day: new Intl.DateTimeFormat(language, { day: "numeric", month: "long", year: "numeric" }),
  words: new Intl.RelativeTimeFormat(language, { numeric: "auto" }),
}
const capital = (text) => text.charAt(0).toLocaleUpperCase(language) + text.slice(1)
const midnight = (moment) => new Date(moment.getFullYear(), moment.getMonth(), moment.getDate())
const unit = (count, name) =>
  new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "narrow" }).format(count)

customElements.define("local-time", class extends HTMLElement {
  connectedCallback() {
    this.time = this.querySelector("time")
    if (!this.time) return
    this.moment = new Date(this.time.dateTime)
    this.time.title = formats.exact.format(this.moment)
    this.refresh()
    if (this.getAttribute("show") !== "clock") shown.add(this)
  }

  disconnectedCallback() {
    shown.delete(this)
  }

  refresh() {
    const show = this.getAttribute("show")
    const text = show === "ago" ? this.#ago() : show === "day" ? this.#day() : formats.clock.format(this.moment)
    if (this.time.textContent !== text) this.time.textContent = text
  }

  #ago() {
    const minutes = Math.floor((Date.now() - this.moment) / 60000)
    if (minutes < 1) return formats.words.format(0, "second")
    if (minutes < 60) return unit(minutes, "minute")
    if (minutes < 1440) return unit(Math.floor(minutes / 60), "hour")
    return minutes < 10080 ? unit(Math.floor(minutes / 1440), "day") : formats.date.format(this.moment)
  }

  #day() {
    const days = Math.round((midnight(this.moment) - midnight(new Date())) / 86400000)
    return days === 0 || days === -1 ? capital(formats.words.format(days, "day")) : formats.day.format(this.moment)
  }
})

setInterval(() => shown.forEach((element) => element.refresh()), 20000)
