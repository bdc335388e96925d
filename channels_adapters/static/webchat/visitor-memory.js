// <visitor-memory>: keeps who the visitor is where frames get no cookie: in this page's storage or, where a browser
// denies a frame even that, in the storage of the page that shows the frame.
customElements.define("visitor-memory", class extends HTMLElement {
  get #name() { return `rapport.visitor.${this.closest("visitor-chat").dataset.key}` }

  async recall() { // the token, or ""
    try { return localStorage.getItem(this.#name) ?? "" } catch { return this.#askParent() }
  }

  keep(token) {
    try { localStorage.setItem(this.#name, token) } catch { this.closest("visitor-chat").tell({ rapport: "keep", token }) }
  }

  #askParent() {
    if (window.parent === window) return ""
    return new Promise((resolve) => {
      const hear = (event) => event.source === window.parent && event.data?.rapport === "kept" && finish(event.data.token)
      const finish = (token) => {
        clearTimeout(timer)
        window.removeEventListener("message", hear)
        resolve(typeof token === "string" && /^[\w-]{22}:[\w:-]{1,80}$/.test(token) ? token : "")
      }
      const timer = setTimeout(finish, 1000)
      window.addEventListener("message", hear)
      window.parent.postMessage({ rapport: "recall" }, "*")
    })
  }
})
