"""The life of a shared private link by Azure's Python SDKs; python.ts lets each step go and watches its requests."""

import json
import os
import sys
import time

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.keyvault._version import VERSION as KEYVAULT
from azure.mgmt.signalr import SignalRManagementClient
from azure.mgmt.signalr._version import VERSION as SIGNALR

if "--version" in sys.argv:
    print(f"Python SDKs azure-mgmt-signalr {SIGNALR}, azure-mgmt-keyvault {KEYVAULT}")
    sys.exit(0)


def step(name, run):
    print(json.dumps({"step": name}), flush=True)
    sys.stdin.readline()
    try:
        told = {"outcome": run()}
    except Exception as error:  # Whatever it is, the other side prints it and counts it as a failure.
        told = {"failed": f"{type(error).__name__}: {error}"}
    print(json.dumps(told), flush=True)


def expect(found, wanted):
    if found != wanted:
        raise AssertionError(f"{found!r} instead of {wanted!r}")


endpoint = os.environ["ENDPOINT"]
group, signalr_name, vault_name, link = "contoso", "contoso-signalr", "contoso-kv", "by-python"
credential = ClientSecretCredential(
    "adfs", os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"], authority=endpoint
)
common = {
    "base_url": endpoint,
    "credential_scopes": [endpoint + "/.default"],
    "polling_interval": 1,
}
signalr = SignalRManagementClient(credential, os.environ["SUBSCRIPTION"], **common)
vaults = KeyVaultManagementClient(credential, os.environ["SUBSCRIPTION"], **common)
links = signalr.signal_rshared_private_link_resources
connections = vaults.private_endpoint_connections
found = {}


def instances():
    names = [one.name for one in signalr.signal_r.list_by_subscription()]
    expect(signalr_name in names, True)
    return f"{len(names)} found"


def create():
    wish = {
        "group_id": "vault",
        "private_link_resource_id": os.environ["VAULT_ID"],
        "request_message": "by Python",
    }
    made = links.begin_create_or_update(link, group, signalr_name, wish).result(60)
    expect((made.provisioning_state, made.status), ("Succeeded", "Pending"))
    return "Succeeded, Pending"


def conflict():
    first = links.begin_create_or_update(
        link, group, signalr_name, {"group_id": "vault", "private_link_resource_id": os.environ["VAULT_ID"]}
    )
    try:
        links.begin_delete(link, group, signalr_name)
    except HttpResponseError as error:
        expect((error.status_code, error.error.code), (409, "Conflict"))
    else:
        raise AssertionError("A second write was taken")
    first.result(60)
    return "409 Conflict while the first runs"


def pending():
    for one in connections.list_by_resource(group, vault_name):
        found["name"] = one.name
        expect(one.private_link_service_connection_state.status, "Pending")
        return "Pending"
    raise AssertionError("No connection on the vault")


def decide(status):
    def run():
        state = {"status": status, "description": f"{status} by Python"}
        made = connections.put(
            group, vault_name, found["name"], {"private_link_service_connection_state": state}
        )
        expect(made.private_link_service_connection_state.status, status)
        return f"{status}, {made.provisioning_state}"

    return run


def settled():
    for _ in range(60):
        time.sleep(0.25)
        one = connections.get(group, vault_name, found["name"])
        if one.provisioning_state == "Succeeded":
            return f"{one.private_link_service_connection_state.status}, Succeeded"
        expect(one.provisioning_state, "Updating")
    raise AssertionError("still Updating")


def approved():
    for _ in range(60):
        time.sleep(0.25)
        one = links.get(link, group, signalr_name)
        if one.status == "Approved":
            expect(one.provisioning_state, "Succeeded")
            return "Succeeded, Approved"
        expect(one.status, "Pending")
    raise AssertionError("still Pending")


def vault():
    one = vaults.vaults.get(group, vault_name)
    expect(one.properties.private_endpoint_connections[0].private_link_service_connection_state.status, "Approved")
    return "with its connection: Approved"


def listed():
    expect(vault_name in [one.name for one in vaults.vaults.list_by_resource_group(group)], True)
    return "found"


def removed():
    connections.begin_delete(group, vault_name, found["name"]).result(60)
    expect(list(connections.list_by_resource(group, vault_name)), [])
    return "gone when the poller ends"


def deleted():
    links.begin_delete(link, group, signalr_name).result(60)
    try:
        links.get(link, group, signalr_name)
    except ResourceNotFoundError as error:
        return f"gone: {error.error.code}"
    raise AssertionError("The link is still there")


step("signal_r.list_by_subscription()", instances)
step("signal_rshared_private_link_resources.begin_create_or_update(…).result()", create)
step("begin_create_or_update(…), and begin_delete(…) while it runs", conflict)
step("private_endpoint_connections.list_by_resource(…)", pending)
step("private_endpoint_connections.put(… Approved)", decide("Approved"))
step("private_endpoint_connections.get(…) until it is settled", settled)
step("signal_rshared_private_link_resources.get(…) until Approved", approved)
step("vaults.get(…)", vault)
step("vaults.list_by_resource_group(…)", listed)
step("private_endpoint_connections.put(… Rejected)", decide("Rejected"))
step("private_endpoint_connections.begin_delete(…).result()", removed)
step("signal_rshared_private_link_resources.begin_delete(…).result()", deleted)
