"""People who sign in at a console in a test, and the routes that they walk."""

import re
import time

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from fleetloop_hub.people.accounts import Accounts
from fleetloop_hub.people_records import Role
from support.hubweb import WebHub

PASSWORD = "correct horse battery"
ENDLESS = "/events/stream"


def let_in(hub: WebHub, name: str, role: Role) -> None:
    """Somebody with the password."""
    accounts = Accounts(hub.catalog, time.time)
    accounts.change_password(name, accounts.add(name, role), PASSWORD)


def proof(client: FlaskClient, path: str = "/sign-in") -> str:
    """The token of the form on a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


def signed_in(app: Flask, name: str, password: str = PASSWORD) -> FlaskClient:
    """A browser in which somebody has signed in."""
    client = app.test_client()
    form = {"name": name, "password": password, "csrf_token": proof(client)}
    assert client.post("/sign-in", data=form).status_code == 303
    return client


def routes(app: Flask) -> list[tuple[str, Rule]]:
    """Each method of each route, but of the endless one."""
    return [
        (method, rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and rule.rule != ENDLESS
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "DELETE"})
    ]


def filled(rule: Rule) -> str:
    """An address of a route."""
    return re.sub(r"<(?:int:)?[^>]+>", lambda m: "1" if "int:" in m[0] else "rain", rule.rule)
