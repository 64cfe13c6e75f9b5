"""The routes to one version: what the catalog says of it, its artifact, its signed manifest."""

from flask import Blueprint, Response

from fleetloop_hub.errors import GateError
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Alias, Version
from fleetloop_hub.tracking.standing import hindrance
from fleetloop_hub.tracking.unknown import no_version
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.speaking import Speaks
from fleetloop_shared.codec import encode
from fleetloop_shared.manifest import Manifest

NEWEST = "newest"


def artifacts(catalog: Catalog, blobs: Blobs) -> Blueprint:
    """The routes; `which` is a number, an alias such as champion, or newest."""
    api = Blueprint("artifacts", __name__, url_prefix="/api/v1/versions/<model>/<which>")

    @api.get("")
    @needs(Role.VIEWER)
    @Speaks(gives=Version)
    def version(model: str, which: str) -> Response:
        """A version as the catalog has it: gates, evidence, approvals, parity."""
        return Response(
            encode(find_version(catalog, model, which)), content_type="application/json"
        )

    @api.get("/artifact")
    @needs(Role.VIEWER)
    @Speaks(kind="application/octet-stream")
    def artifact(model: str, which: str) -> Response:
        """The version's quantized ONNX file."""
        data = blobs.get(find_version(catalog, model, which).artifact)
        return Response(data, content_type="application/octet-stream")

    @api.get("/manifest")
    @needs(Role.VIEWER)
    @Speaks(gives=Manifest)
    def manifest(model: str, which: str) -> Response:
        """What is signed about the version: signature, thresholds, golden vectors, budgets."""
        found = find_version(catalog, model, which)
        if found.manifest is None:
            raise GateError(f"there is no signed manifest: {hindrance(found)}")
        return Response(blobs.get(found.manifest), content_type="application/json")

    return api


def find_version(catalog: Catalog, model: str, which: str) -> Version:
    """The version that is meant.

    Raises:
        AbsentError: There is none; the text says which there are.
    """
    versions = [v for v in catalog.all(Version) if v.model == model]
    alias = catalog.find(Alias, f"{model}/{which}")
    number = str(alias.version) if alias is not None else which
    if which == NEWEST and versions:
        signed = [v for v in versions if v.manifest is not None]
        return max(signed or versions, key=lambda v: v.number)
    for version in versions:
        if str(version.number) == number:
            return version
    raise no_version(catalog, model, which)
