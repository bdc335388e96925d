"""How people write secrets into messages, in seven languages. Each pattern captures the secret alone."""

from __future__ import annotations

import re

_PASSWORD = (
    r"(?:pass ?(?:word|code|phrase)|passwd|pwd|pw|contrase[nñ]a|clave(?: de acceso)?|mot de passe|mdp"
    r"|passwor[dt]|kennwort"
    r"|senha|palavra-passe|parola d'ordine|wachtwoord)"
)
_IS = r"(?:is|was|are|es|era|est|ist|lautet|war|é|è|era|foi|luidt)"
_TAIL = r"(?=\s*(?:$|[\n.,;!?)])|\s+(?:and|but|y|pero|et|mais|und|aber|e|mas|ma|en|maar|if|so|for)\b)"
_CODE = (
    r"(?:cvv2?|cvc2?|csc|security code|c[oó]digo de seguran[cç]a|c[oó]digo de seguridad|code de s[eé]curit[eé]"
    r"|pr[uü]fziffer|kartenpr[uü]fnummer|codice di sicurezza|beveiligingscode|cryptogramme)"
)
_KEY = r"(?:api[ _-]?key|api[ _-]?token|access[ _-]?token|auth[ _-]?token|secret[ _-]?key|client[ _-]?secret|bearer)"

# "my password is X": X is taken for a password unless it is one of these
WORDS_AFTER_IS = frozenset(
    """not wrong incorrect invalid expired correct right rejected refused locked blocked lost gone forgotten changed
    reset weak unknown missing required needed different compromised stolen leaked what this that it there the a
    incorrecta incorrecto invalida inválida errónea caducada bloqueada olvidada correcta mala no falsa
    incorrect incorrecte faux fausse invalide expiré oublié bloqué refusé perdu correct pas bon bonne
    falsch ungültig abgelaufen gesperrt vergessen weg richtig korrekt nicht unbekannt
    errada incorreta inválida expirada bloqueada esquecida correta não
    sbagliata errata scaduta bloccata dimenticata corretta giusta persa non
    fout onjuist ongeldig verlopen geblokkeerd vergeten kwijt niet juist""".split()
)

SECRETS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "key",
        re.compile(
            r"(?P<secret>-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
            r"|\b(?:sk|pk|rk)[_-](?:live|test|proj|ant)?[_-]?[A-Za-z0-9_-]{16,}"
            r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abeprs]-[\w-]{10,}"
            r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{30,}|\b\d{8,10}:[A-Za-z0-9_-]{35}\b"
            r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)",
            re.DOTALL,
        ),
    ),
    ("key", re.compile(rf"(?i)\b{_KEY}\b\s*(?:{_IS}\b|[:=])?\s*[\"']?(?P<secret>(?=[\w.+/=-]*\d)[\w.+/=-]{{12,}})")),
    ("password", re.compile(r"(?i)\b[a-z][a-z0-9+.-]*://[^\s/:@]+:(?P<secret>[^\s/@]+)@")),
    (
        "password",
        re.compile(rf"(?i)\b{_PASSWORD}\b\s*(?:{_IS}\s*)?[:=]\s*(?P<secret>\"[^\"\n]+\"|'[^'\n]+'|[^\s,;]+[^\s,;.!?])"),
    ),
    (
        "password",
        re.compile(
            rf"(?i)\b{_PASSWORD}\b\s+{_IS}\s+(?P<secret>\"[^\"\n]+\"|'[^'\n]+'"
            r"|(?!\[)(?=[^\s,;]*[\d@#$%&*_+=^~\\|<>!])[^\s,;]{3,}[^\s,;.!?])"
        ),
    ),
    ("password", re.compile(rf"(?i)\b{_PASSWORD}\b\s+(?P<is>{_IS})\s+(?P<secret>(?!\[)[^\s,;.!?]{{3,}}){_TAIL}")),
    ("password", re.compile(rf"(?i)\b{_PASSWORD}\b\s+(?P<secret>(?!\[)(?=\S*\d)(?=\S*[a-z])[^\s,;]{{5,}}[^\s,;.!?])")),
    ("security code", re.compile(rf"(?i)\b{_CODE}\b\D{{0,12}}?(?P<secret>\d{{3,4}})\b(?!\d)")),
    ("PIN", re.compile(rf"(?i)\bpin(?:[ -]?(?:code|number|nummer))?\b\s*(?:{_IS}\b|[:=])\s*(?P<secret>\d{{4,8}})\b")),
)
