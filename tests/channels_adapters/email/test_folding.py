"""What they wrote now is shown, and what they quote and sign with is folded: nothing of it is lost."""

import time

import pytest

from channels_adapters.mailreading.folding import fold

ANSWERS = {
    "Gmail, Swedish": "Tack!\n\nDen tors 20 aug. 2026 kl 10:00 skrev Acme <help@open.example>:\n\n> gammalt",
    "Gmail, wrapped": "Thanks\n\nOn Thu, Aug 20, 2026 at 10:00 AM Acme <\nhelp@open.example> wrote:\n\n> old\n> more",
    "Gmail, Spanish": "Gracias\n\nEl jue, 20 ago 2026 a las 10:00, Acme (<help@open.example>) escribió:\n\n> viejo",
    "Gmail, Portuguese": "Obrigado\n\nEm qui., 20 de ago. de 2026 às 10:00, Acme <a@b.example> escreveu:\n\n> velho",
    "Gmail, Russian": "Спасибо\n\nчт, 20 авг. 2026 г. в 10:00, Acme <help@open.example>:\n\n> старый",
    "Gmail, Chinese": "谢谢\n\nAcme <help@open.example> 于2026年8月20日周四 10:00写道：\n\n> 旧",
    "Gmail, Japanese": "ありがとう\n\n2026年8月20日(木) 10:00 Acme <help@open.example>:\n\n> 古い",
    "Gmail, Finnish": "Kiitos\n\nto 20. elok. 2026 klo 10.00 Acme (help@open.example) kirjoitti:\n\n> vanha",
    "Gmail, German": "Danke\n\nAm Do., 20. Aug. 2026 um 10:00 Uhr schrieb Acme <help@open.example>:\n\n> alt",
    "Gmail, French": "Merci\n\nLe jeu. 20 août 2026 à 10:00, Acme <help@open.example> a écrit :\n\n> vieux",
    "Outlook": "Thanks\n\nFrom: Acme <help@open.example>\nSent: Thursday\nTo: Carl\nSubject: Order\n\nold text",
    "Outlook, German": f"Danke\n\n{'_' * 32}\nVon: Acme\nGesendet: Donnerstag\nAn: Carl\nBetreff: Bestellung\n\nalt",
    "Outlook, Portuguese": "Obrigado\n\nDe: Acme\nEnviado: quinta-feira\nPara: Carl\nAssunto: Pedido\n\nvelho",
    "Outlook, Chinese": "谢谢\n\n-----原始邮件-----\n发件人: Acme\n发送时间: 2026\n收件人: c\n主题: z\n\n旧",
    "Outlook, Polish": "Dzięki\n\nOd: Acme\nWysłano: czwartek\nDo: Carl\nTemat: x\n\nstary",
    "the original below": "Thanks\n\n-----Original Message-----\nFrom: Acme\n\nold",
    "quoted without a head": "Thanks\n\n> old\n> older",
    "quoted lines that were broken": f"Thanks\n\nOn 1 May 2026, Acme wrote:\n> {'a' * 70}\nrest\n> more",
    "a signature": "Thanks\n\n-- \nCarl Berg\n+46 70",
    "a telephone": "Thanks\n\nSent from my iPhone",
    "a Swedish telephone": "Tack\n\nSkickat från min iPhone",
    "a signature above the quotation": "Thanks\n-- \nCarl\n\nOn 1 May 2026, Acme wrote:\n> old",
}
WHOLE = {
    "an answer below": "On Thu, Aug 20, 2026 at 10:00 AM Acme <help@open.example> wrote:\n> old\n\nMy answer below",
    "answers between": "Hi\n\nOn Thu, 20 Aug 2026, Acme wrote:\n> Red?\nno\n> Blue?\nyes",
    "a sentence that begins like a head": "On Monday I wrote to you: the parcel broke.\nPlease help.\n\nBest\nCarl",
    "a list": "Please send\n- one\n- two",
    "a table of prices": "Size: 7\nColour: red\nFrom: Stockholm\nprice: 10",
    "nothing but a quotation": "> old\n> older",
    "nothing but a signature": "-- \nCarl",
    "a forwarded mail": "Look\n\n---------- Forwarded message ---------\nFrom: Acme\nSent: x\nTo: z\n\ntheirs",
    "an arrow": "a -> b\nb > c",
    "two dashes far above": "a\n--\n" + "line\n" * 40 + "end",
}


@pytest.mark.parametrize("text", ANSWERS.values(), ids=ANSWERS.keys())
def test_only_what_was_written_now_is_shown(text):
    kept, folded = fold(text)

    assert kept in ("Thanks", "Tack!", "Tack", text.split("\n")[0])
    assert "".join(f"{kept}{folded}".split()) == "".join(text.split())


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE.keys())
def test_what_belongs_together_stays_together(text):
    assert fold(text) == (text.strip(), "")


def test_what_lies_beyond_what_is_looked_at_is_kept():
    text = "a" * 60_000 + "\n" + "b" * 60_000

    kept, folded = fold(text)

    assert kept + folded == text


@pytest.mark.parametrize(
    "unit", ["On ", "> ", "From: a\n", "-- \n", "a wrote:\n", "On a\n", " ", "\t\n", ">" * 300 + "\n"]
)
def test_reading_takes_no_longer_than_the_text_is_long(unit):
    began = time.process_time()
    fold(unit * (100_000 // len(unit)))

    assert time.process_time() - began < 3
