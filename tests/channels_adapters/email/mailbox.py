"""A person's mail program: reads their mailbox over IMAP and writes over SMTP, with Python's own libraries."""

import email
import imaplib
import smtplib
import time
from email.message import EmailMessage
from email.policy import default

from tests.channels_adapters.email.servers import PASSWORD

_PATIENCE = 15.0  # seconds


class Person:
    def __init__(self, servers, address):
        self.servers, self.address = servers, address
        self._read = self._count()

    def mail(self):
        """The next mail that comes."""
        until = time.monotonic() + _PATIENCE
        while self._count() <= self._read and time.monotonic() < until:
            time.sleep(0.1)
        assert self._count() > self._read, f"nothing came to {self.address}"
        self._read += 1
        return self._mail(self._read, "INBOX")

    def sent(self):
        """The mails in the folder for sent mail."""
        with self._box() as box:
            count = int(box.select("Sent")[1][0])
        return [self._mail(number + 1, "Sent") for number in range(count)]

    def write(self, to, subject, text, *, answers=None, files=(), html="", **headers):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = f"Carl Berg <{self.address}>", to, subject
        mail["Message-ID"] = f"<{time.time_ns()}@{self.address.partition('@')[2]}>"
        if answers is not None:
            mail["In-Reply-To"], mail["References"] = answers["Message-ID"], answers["Message-ID"]
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        if html:
            mail.add_alternative(html, subtype="html")
        for name, mime, data in files:
            mail.add_attachment(data, *mime.split("/"), filename=name)
        with smtplib.SMTP("127.0.0.1", self.servers.smtp) as client:
            client.login(self.address, PASSWORD)
            client.send_message(mail, self.address, [to])
        return mail

    def _count(self):
        with self._box() as box:
            return int(box.select("INBOX", readonly=True)[1][0])

    def _mail(self, number, folder):
        with self._box() as box:
            box.select(folder, readonly=True)
            return email.message_from_bytes(box.fetch(str(number), "BODY.PEEK[]")[1][0][1], policy=default)

    def _box(self):
        box = imaplib.IMAP4("127.0.0.1", self.servers.imap)
        box.login(self.address, PASSWORD)
        return box
