"""What order numbers, addresses, amounts and days look like in seven languages. The group `found` is the entity."""

from __future__ import annotations

import re

_MONTHS = (
    "january|february|april|june|july|august|september|october|november|december"
    "|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|diciembre"
    "|janvier|f[ée]vrier|avril|juin|juillet|ao[uû]t|septembre|octobre|novembre|d[ée]cembre"
    "|januar|j[äa]nner|februar|m[äa]rz|juni|juli|oktober|dezember"
    "|janeiro|fevereiro|mar[çc]o|maio|junho|julho|setembro|outubro|novembro|dezembro"
    "|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre"
    "|januari|februari|maart|augustus"
)
_SHORT_MONTHS = (
    "jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec|okt|dez|gen|mag|giu|lug|ago|set|ott|dic|ene|abr|mai|mei|mars"
)
_WEEKDAYS = (
    "(?:mon|tues|wednes|thurs|fri|satur|sun)days?|tues?|thurs?|weds|lunes|martes|mi[ée]rcoles|jueves|viernes"
    "|s[áa]bados?|domingos?"
    "|lundis?|mardis?|mercredis?|jeudis?|vendredis?|samedis?|dimanches?"
    "|(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag)s?"
    "|(?:segunda|ter[çc]a|quarta|quinta|sexta)(?:-feira)?|luned[iì]|marted[iì]|mercoled[iì]|gioved[iì]"
    "|venerd[iì]|sabato|domenic[ah]e?"
    "|(?:maan|dins|woens|donder|vrij|zater|zon)dag(?:en)?"
)
_RELATIVE = (
    "today|tonight|tomorrow|yesterday|tmrw?|tmr|2moro|day after tomorrow|day before yesterday|weekends?"
    "|half term|q[1-4]|black friday"
    "|(?:last|next|this|past|coming)\\s+(?:week(?:end)?|month|year|spring|summer|autumn|fall|winter|night|term"
    "|quarter|christmas|easter"
    "|monday|tuesday|wednesday|thursday|friday|saturday|sunday)|end of (?:the )?(?:month|week|year)"
    "|this (?:morning|afternoon|evening)"
    "|(?:\\d+|a|an|one|two|three|four|five|six) (?:days?|weeks?|months?|years?) ago|christmas|easter"
    "|new year'?s(?: (?:eve|day))?"
    "|hoy|ma[ñn]ana|ayer|anoche|anteayer|pasado ma[ñn]ana|fin de semana|(?:la )?semana (?:pasada|que viene"
    "|pr[óo]xima|que vem|passada)"
    "|(?:el )?(?:mes|a[ñn]o) (?:pasado|que viene|pr[óo]ximo)|est[ae] (?:semana|mes|a[ñn]o|noche|tarde"
    "|ma[ñn]ana)|navidad|semana santa"
    "|pr[óo]xim[ao] (?:semana|mes|a[ñn]o|m[êe]s|ano)"
    "|aujourd[’']?hui|demain|hier|avant-hier|apr[èe]s-demain|ce (?:soir|matin|week-end|mois)"
    "|cet(?:te)? (?:semaine|ann[ée]e|apr[èe]s-midi|[ée]t[ée]|nuit)"
    "|(?:la )?semaine (?:derni[èe]re|prochaine)|(?:le )?mois (?:dernier|prochain)|l[’']ann[ée]e (?:derni[èe]re"
    "|prochaine)|week-end|no[ëe]l|p[âa]ques"
    "|heute(?: (?:abend|fr[üu]h|morgen|nachmittag))?|gestern(?: abend)?|vorgestern|[üu]bermorgen"
    "|(?<!guten )(?<!goeden )(?<!goede )morgen(?: fr[üu]h)?|wochenende|weihnachten|ostern|pfingsten|silvester"
    "|(?:letzte|n[äa]chste|kommende|diese|vorige)[nrsm]? (?:woche|monat|jahr|sommer|winter|montag|dienstag"
    "|mittwoch|donnerstag|freitag|samstag|sonntag)"
    "|hoje|amanh[ãa]|ontem|anteontem|fim de semana|m[êe]s (?:passado|que vem)|ano (?:passado|que vem)|(?:esta"
    "|essa) (?:semana|noite|tarde|manh[ãa])|este m[êe]s|natal|p[áa]scoa|carnaval"
    "|oggi|domani|ieri(?: sera)?|dopodomani|l[’']altro ieri|stasera|stamattina|stanotte|fine settimana"
    "|settimana (?:scorsa|prossima)"
    "|(?:mese|anno) (?:scorso|prossimo)|questa settimana|questo mese|natale|pasqua|ferragosto"
    "|vandaag|gisteren|gisteravond|eergisteren|overmorgen|vanavond|vanochtend|vanmiddag|(?:vorige|volgende|deze"
    "|komende|afgelopen) (?:week|maand|jaar|zomer|winter)"
    "|kerst|pasen|pinksteren"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th|er|º|\.)?"
_OF = r"(?:\s+(?:of|de|di))?\s+"
_CURRENCY = (
    r"(?:euros?|eur|€|usd|dollars?|dólares?|dollari|\$|gbp|pounds?|libras?|sterline|£|quid|bucks|chf|francs?"
    r"|franken|reais|real|pesos?|rupees?"
    r"|inr|rs|yen|zł|pln|sek|nok|dkk|kr|naira|aed|sgd|aud|cad|cents?|centimes|c[ée]ntimos|centavos|pence|centesimi)"
)
_SYMBOL = r"(?:[A-Z]{0,3}\$|[€£¥₹₩₦₺₽₱₫₪]|\b(?:USD|EUR|GBP|CHF|INR|AUD|CAD|SGD|Rs\.?|AED|NGN|KES|ZAR|BRL|MXN)\s?)"
_AMOUNT = r"\d{1,3}(?:[.,' \u00a0]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_SPELLED = (
    "one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty|fifty|sixty|seventy"
    "|eighty|ninety|hundred|thousand"
    "|un|uno|dos|tres|cinco|diez|veinte|cien|mil|deux|trois|cinq|dix|vingt|cent|zwei|drei|fünf|zehn|zwanzig"
    "|hundert|due|tre|cinque|dieci"
    "|venti|cento|een|twee|vijf|tien|twintig|honderd|dois|dez|vinte|cem"
)
_CASE = (
    r"(?:order|booking|reservation|ticket|case|invoice|parcel|tracking|ref(?:erence)?|claim|confirmation"
    r"|consignment|policy|pedido|reserva|factura"
    r"|caso|env[íi]o|commande|dossier|facture|r[ée]servation|colis|bestell(?:ung|nummer)|auftrag(?:snummer)?"
    r"|rechnung(?:snummer)?|buchung"
    r"|p\.?o\.?|rx|lot|batch|receipt|member(?:ship)?|account|customer|licen[cs]e|flight|vuelo|vol|flug|volo|voo|vlucht"
    r"|sendung(?:snummer)?|vorgang|encomenda|fatura|protocolo|ordine|fattura|prenotazione|pratica|spedizione"
    r"|bestelling|bestelnummer|factuur"
    r"|boeking|zaak|pakket|pnr|awb|rma|dossiernummer|kundennummer)"
)

ENTITIES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"(?P<found>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)")),
    (
        "money",
        re.compile(rf"(?P<found>{_SYMBOL}\s?(?:{_AMOUNT})(?:\s?(?:k|m|mil|million|mio|bn)\b)?)"),
    ),
    (
        "money",
        re.compile(
            rf"(?i)(?<![\w.,])(?P<found>(?:(?:{_AMOUNT})\s?|(?:{_SPELLED})\s)(?:k\s?)?(?:mil\s)?{_CURRENCY}(?!\w))"
        ),
    ),
    (
        "order_number",
        re.compile(
            rf"(?i)\b{_CASE}(?:\s*(?:no|nr|num(?:ber|mer|[eé]ro|ero)?|n[º°o]|id|code"
            rf"|ref))?[.:]?\s*[#:]?\s*(?:is|was|ist|es|est|é|è)?\s*"
            r"#?(?P<found>(?=[a-z0-9/-]*\d[a-z0-9/-]*\d)[a-z0-9]+(?:[-/][a-z0-9]+)*)\b"
        ),
    ),
    ("order_number", re.compile(r"(?P<found>#\s?[A-Z]{0,4}-?\d{3,}(?:-\w+)*)\b")),
    (
        "order_number",
        re.compile(r"\b(?P<found>(?:[A-Z]{1,5}\d?|[A-Z]\d)-?(?:\d{2,4}[-/])?\d{3,}(?:-[A-Z0-9]{1,5})*)\b"),
    ),
    ("order_number", re.compile(r"\b(?P<found>(?=[A-Z0-9]{6}\b)(?=\w*\d)(?=\w*[A-Z]\w*[A-Z])[A-Z0-9]{6})\b")),
    ("order_number", re.compile(r"(?<![\w+./-])(?P<found>(?:19|20)\d\d[-/]\d{3,})\b")),
    ("order_number", re.compile(r"(?<![\w+./ -])(?<!\d )(?P<found>(?:[1-9]\d|[1-9]\d{3})-\d{4,5})(?![\w-]|[ .]\d)")),
    ("order_number", re.compile(r"(?<=[^\d+./-] )(?P<found>(?:[1-9]\d|[1-9]\d{3})-\d{4,5})(?![\w-]|[ .]\d)")),
    (
        "date",
        re.compile(
            r"(?<![\w./-])(?P<found>\d{4}-\d{2}-\d{2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}\.\d{1,2}\.)(?![\w/-])"
        ),
    ),
    ("date", re.compile(r"(?<![\w./,-])(?P<found>(?:0?[1-9]|[12]\d|3[01])/(?:0?[1-9]|1[0-2]))(?![\w/-])")),
    (
        "date",
        re.compile(
            rf"(?i)\b(?P<found>(?:(?:{_DAY}(?:\s*(?:-|to|and|y|et|und|e|en|bis|al?)\s*{_DAY})?){_OF})?(?:{_MONTHS})"
            rf"(?:\s+{_DAY}(?!\d))?(?:,?\s+(?:20\d\d))?)\b"
        ),
    ),
    (
        "date",
        re.compile(rf"(?i)\b(?P<found>{_DAY}{_OF}(?:{_SHORT_MONTHS})|(?:{_SHORT_MONTHS})\s{_DAY})\b(?!\s?(?:pm|am|:))"),
    ),
    (
        "date",
        re.compile(
            r"\b(?P<found>(?:in |until |by |since )?(?:May|March|Mars|Mai|Mei|Sept|Nov|Dec|Oct|Jan|Feb|Aug))\b(?! I\b)"
        ),
    ),
    ("date", re.compile(rf"(?i)\b(?P<found>(?:{_WEEKDAYS})(?:\s{_DAY})?|(?-i:Mon|Wed|Fri|Sat|Sun))\b")),
    ("date", re.compile(rf"(?i)(?<!\w)(?P<found>{_RELATIVE})(?!\w)")),
    ("date", re.compile(r"(?i)\b(?P<found>the \d{1,2}(?:st|nd|rd|th)|am \d{1,2}\.|(?:dia|día) \d{1,2})\b")),
    (
        "phone",
        re.compile(
            r"(?<![\w.,/#-])(?P<found>(?:\+\s?\d{1,3}[\s.-]?)?(?:\(\d{1,4}\)[\s.-]?)?\d{2,5}(?:[\s./-]?\d{2,5}){1,5})(?![\w-]|[.,]\d)"
        ),
    ),
    (
        "product",
        re.compile(
            r"(?<=[\w,] )(?P<found>(?!(?:Order|Room|Gate|Seat|Level|Line|Section|Unit|Flat|Day|Year|Week|Class"
            r"|Grade|Step|Version|Page|Chapter|Terminal|Platform|"
            r"Row|Table|Case|Ticket|Model|Since|From|The|At|In|On|By|About|After|Before|Only|Been|Until)\b)"
            r"[A-ZÁÉÍÓÚÄÖÜ][a-zà-ÿ]{2,}(?: [A-Z][a-zà-ÿ]+)? (?:\d{1,3}|Pro|Plus|Max|Mini|Lite|Ultra|Air|GT|SE"
            r"|XL))\b(?![:.,]?\d|\s?(?:pm|am|%|€|h\b))"
        ),
    ),
    (
        "product",
        re.compile(
            r"\b(?:the|your|our|my|el|le|la|den|das|o|il|het) (?P<found>[A-Z][a-z]+)(?= (?:plan|tier|package"
            r"|edition|abo|tarif)\b)"
        ),
    ),
)
