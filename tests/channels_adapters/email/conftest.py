import pytest

from tests.channels_adapters.email.servers import mail_servers, missing
from tests.conftest import left_out


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    """Postfix and Dovecot, started once."""
    if why := missing():
        left_out("E-mail both ways against Postfix and Dovecot", why)
        pytest.skip(why)
    with mail_servers() as running:
        yield running
