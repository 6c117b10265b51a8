"""docker-compose.yml on a real Docker engine: healthy, closed, hardened, and a request found in every store."""

from __future__ import annotations

import json
import socket
import subprocess
import uuid

import pytest
from tests.engines.compose import page
from tests.engines.compose.listening import beyond_loopback
from tests.engines.compose.stack import Containers, await_found

from obs.stack import bundle
from obs.stack.servers import SERVERS, SHOP

#: One process for all of them: they share one engine.
pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("compose")]

SERVICES = {*SERVERS, *SHOP}
#: Kibibytes of a file of the shop's lines in these tests, and bytes of one order's lines at least.
ORDERS = 120


def test_every_service_is_healthy(stack: Containers) -> None:
    states = {name: one["State"]["Health"]["Status"] for name, one in stack.inspect().items()}
    assert states == dict.fromkeys(SERVICES, "healthy")


def test_a_first_start_watches_no_shop_that_nobody_asked_for(stack: Containers) -> None:
    first, _ = stack.seen
    assert first >= set(SERVERS)
    assert not first & set(SHOP)


def test_the_shop_is_watched_once_it_runs_without_another_start(stack: Containers) -> None:
    await_found(lambda: stack.watched() >= set(SHOP), "rules and targets of the shop")


def test_status_tells_the_same_with_the_addresses(stack: Containers) -> None:
    done = stack.obs("status", "--format", "json")
    assert done.returncode == 0, done.stderr
    services = {one["name"]: one for one in json.loads(done.stdout)}
    assert {name: one["state"] for name, one in services.items()} == dict.fromkeys(SERVICES, "ready")
    assert f"127.0.0.1:{stack.ports['prometheus']}" in str(services["prometheus"])


def test_the_commands_of_the_page_work_and_starting_twice_changes_nothing(stack: Containers) -> None:
    before = {name: one["Id"] for name, one in stack.inspect().items()}
    # The last block stops the stack: that is how these tests end.
    *first, last = page.blocks()
    assert "obs stack down" in last
    printed = "".join(page.run(stack, block) for block in first)
    assert '"state":"paid"' in printed
    assert {name: one["Id"] for name, one in stack.inspect().items()} == before


def test_links_lead_to_the_ports_that_were_chosen(stack: Containers) -> None:
    flags = stack.ask(stack.url("prometheus", "/api/v1/status/flags"), login=True)["data"]
    assert flags["web.external-url"] == stack.url("prometheus")
    rules = stack.ask(stack.url("prometheus", "/api/v1/rules"), login=True)["data"]["groups"]
    shown = [one["annotations"] for group in rules for one in group["rules"] if one.get("annotations")]
    # The heartbeat has no panel, it leads to its rule.
    for name, servers in (("runbook_url", ["runbooks"]), ("dashboard_url", ["grafana", "prometheus"])):
        places = {"/".join(one[name].split("/")[:3]) for one in shown if name in one}
        assert places == {stack.url(server) for server in servers}


def test_logs_shows_what_a_container_printed(stack: Containers) -> None:
    done = stack.obs("logs", "alertmanager", "--lines", "100")
    assert "Listening on" in done.stdout, done.stderr


def test_a_misspelt_service_gets_the_nearest_name(stack: Containers) -> None:
    done = stack.obs("logs", "promtheus")
    assert done.returncode == 2
    assert "did you mean 'prometheus'" in done.stderr


def test_a_golden_request_is_found_in_metrics_and_logs(stack: Containers) -> None:
    trace = uuid.uuid4().hex
    stack.buy(trace)
    query = f'{{service=~"storefront|payments"}} | trace_id="{trace}"'
    found = await_found(
        lambda: [line for line in stack.lines(query) if line in ("order paid", "charge accepted")][1:], query
    )
    assert found
    sales = 'shop_orders_total{service="storefront", environment="local", result="paid"} > 0'
    [sale] = await_found(lambda: stack.query(sales), sales)
    assert not [name for name in sale["metric"] if name.startswith("exported_")]
    calls = 'traces_spanmetrics_calls_total{service="payments", span_kind="SPAN_KIND_SERVER"}'
    await_found(lambda: stack.query(calls), calls)


def test_no_line_is_lost_while_its_file_is_rotated(stack: Containers) -> None:
    counted = '{service="storefront"} |= "order paid"'
    # The lines of earlier orders are under way; they come before this one's, for they stand before it in the file.
    trace = uuid.uuid4().hex
    stack.buy(trace)
    await_found(lambda: stack.lines(f'{counted} | trace_id="{trace}"'), "whatever was ordered before")
    before = len(stack.lines(counted))
    for _ in range(ORDERS):
        stack.buy()
    await_found(lambda: len(stack.lines(counted)) >= before + ORDERS, f"{ORDERS} lines more")
    assert len(stack.lines(counted)) == before + ORDERS
    names = stack.docker.run(
        "exec", f"{'obs'}-storefront-1", "python", "-c", "import os; print(os.listdir('/var/log/obs'))"
    )
    assert "storefront.log.00000002" in names


def test_servers_are_scraped_with_their_logins(stack: Containers) -> None:
    expected = {name for name in SERVICES if "STAND-IN" not in stack.contents.get(name, "")}
    up = "sum by (service) (up) > 0"
    await_found(lambda: expected <= {one["metric"]["service"] for one in stack.query(up)}, up)


@pytest.mark.parametrize(
    ("server", "path"), [("prometheus", "/api/v1/query?query=1"), ("alertmanager", "/api/v2/status")]
)
def test_who_asks_for_a_password_takes_no_other(stack: Containers, server: str, path: str) -> None:
    url = stack.url(server, path)
    assert stack.status(url) == 401
    assert stack.status(url, "b2JzOmd1ZXNz") == 401
    assert stack.status(url, stack.authorization) == 200


def test_only_loopback_is_published(stack: Containers) -> None:
    published = {
        name: {
            (binding["HostIp"], int(binding["HostPort"]))
            for held in one["NetworkSettings"]["Ports"].values()
            for binding in held or ()
        }
        for name, one in stack.inspect().items()
    }
    expected = {(name.partition(".")[0], ("127.0.0.1", port)) for name, port in stack.ports.items()}
    assert {(name, place) for name, places in published.items() for place in places} == expected


def test_no_other_address_of_this_machine_answers(stack: Containers) -> None:
    gateways = {
        network["Gateway"]
        for one in stack.inspect().values()
        for network in one["NetworkSettings"]["Networks"].values()
    }
    assert len(gateways) == 2
    for gateway in gateways:
        for port in stack.ports.values():
            with socket.socket() as probe:
                probe.settimeout(2)
                assert probe.connect_ex((gateway, port)) != 0, (gateway, port)


def test_a_container_is_reached_on_the_ports_of_the_table_only(stack: Containers) -> None:
    for name, one in stack.inspect().items():
        known = {port.inside for port in {**SERVERS, **SHOP}[name].ports}
        # Its fault switch.
        known |= {8704} if name == "worker" else set()
        found = beyond_loopback(one["State"]["Pid"])
        assert found, name
        assert found <= known, name


def test_servers_without_a_password_share_no_network_with_the_services(stack: Containers) -> None:
    networks = {name: set(one["NetworkSettings"]["Networks"]) for name, one in stack.inspect().items()}
    for server in ("loki", "tempo", "grafana", "alertmanager", "runbooks"):
        for service in SHOP:
            assert not networks[server] & networks[service]
    assert networks["storefront"] == networks["worker"] == {"obs_services"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_can_do_little(stack: Containers, name: str) -> None:
    one = stack.inspect()[name]
    user, _, _ = one["Config"]["User"].partition(":")
    assert int(user) > 0
    host = one["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Privileged"] is False
    assert host["Memory"] > 0
    assert host["NanoCpus"] > 0
    assert host["PidsLimit"] > 0
    assert host["Init"] is True
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}
    assert not [mount for mount in one["Mounts"] if mount["Type"] == "bind" and mount["RW"]]


def test_no_process_of_a_container_is_root(stack: Containers) -> None:
    for name, one in stack.inspect().items():
        listed = stack.docker.run("top", one["Id"], "-o", "pid,uid,args").splitlines()[1:]
        assert listed
        assert not [line for line in listed if line.split()[1] == "0"], name


def test_no_secret_is_shown_by_docker_or_printed_by_a_server(stack: Containers) -> None:
    shown = stack.docker.run("inspect", *(one["Id"] for one in stack.inspect().values()))
    images = stack.docker.run("images", "--quiet", "--all").split()
    shown += stack.docker.run("image", "inspect", *images)
    shown += "".join(stack.printed(name) for name in SERVICES)
    for secret in _secrets(stack):
        assert secret not in shown


def test_no_secret_lies_in_the_repository(stack: Containers) -> None:
    if not (bundle.root() / ".git").exists():
        pytest.fail("these tests run from a checkout")
    for secret in _secrets(stack):
        found = subprocess.run(
            ["git", "grep", "--fixed-strings", "--untracked", "--name-only", "-e", secret],
            cwd=bundle.root(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (found.returncode, found.stdout) == (1, ""), found


def _secrets(stack: Containers) -> list[str]:
    folder = stack.directory / "secrets"
    texts = [file.read_text().strip() for file in folder.iterdir() if file.name != "web.yml"]
    assert len(texts) >= 3
    return [*texts, (folder / "web.yml").read_text().rpartition(" ")[2].strip()]
