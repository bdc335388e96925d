"""What WhatsApp, Messenger and Instagram share: Meta's signed deliveries and its Graph API.

signing     whether a request is Meta's, and its handshake
readers     ids, times and lists as Meta writes them
graph       requests to the Graph API, uploads and downloads
errors      what its errors mean for us
account     the part of an adapter that is the same for the three
items       what Messenger and Instagram deliver; comments    on posts of both
replies     what leaves by both
"""
