from pathlib import Path

import pytest

from executor.config import Config as ExecutorConfig
from gorchestrator.common.settings import SettingsError, describe, pinned
from gorchestrator.config import Config


def faults(environ, cls=Config):
    with pytest.raises(SettingsError) as caught:
        cls.load(environ)
    return list(caught.value.faults)


def written(folder: Path, text: str) -> str:
    path = folder / "settings.toml"
    path.write_text(text)
    return str(path)


def test_defaults_come_from_the_users_state_directory():
    loaded = Config.load({"XDG_STATE_HOME": "/state"})
    assert loaded.value.data == Path("/state/gorchestrator")
    assert loaded.value.database == Path("/state/gorchestrator/gorchestrator.db")
    assert loaded.value.tls_key == Path("/state/gorchestrator/certs/orchestrator.key")
    assert set(loaded.sources.values()) == {"default"}
    assert loaded.file is None


def test_a_relative_state_directory_is_ignored():
    assert Config.load({"XDG_STATE_HOME": "state"}).value.data == Path.home() / ".local/state/gorchestrator"


def test_the_environment_wins_over_the_file_and_sources_are_known(tmp_path):
    file = written(tmp_path, 'port = 99\ncerts = "c"\nlease = 3\ninsecure = true\nallowed_hosts = ["a"]\n')
    loaded = Config.load({"GORCH_CONFIG": file, "GORCH_PORT": "100", "GORCH_ALLOWED_HOSTS": "b, c,"})
    config = loaded.value
    assert (config.port, config.lease, config.insecure, config.allowed_hosts) == (100, 3.0, True, ("b", "c"))
    assert config.tls_ca == tmp_path / "c" / "ca.pem"
    assert loaded.sources["port"] == "environment GORCH_PORT"
    assert loaded.sources["lease"] == f"file {file}"
    assert loaded.sources["data"] == "default"


def test_every_fault_is_told_at_once(tmp_path):
    file = written(tmp_path, 'prt = 1\nlease = "x"\nworkers = true\nlog_level = "loud"\ndata = ""\n')
    found = faults(
        {
            "GORCH_CONFIG": file,
            "GORCH_BND": "x",
            "GORCH_PORT": "many",
            "GORCH_BIND": "0.0.0.0",
            "GORCH_CERTFILE": "x.pem",
            "GORCH_LOST_AFTER": "nan",
        }
    )
    assert len(found) == 10
    for part in (
        "no such setting as 'prt'; did you mean port?",
        "lease: 'x' is not a number",
        "workers: True is not a whole number",
        "log_level: 'loud' is unknown; write one of debug, info, warning, error",
        "data: the path is empty",
        "GORCH_BND: no such setting; did you mean GORCH_BIND?",
        "GORCH_PORT: 'many' is not a whole number; write one, such as 8",
        "GORCH_LOST_AFTER: it must be a finite number",
        "certfile and keyfile belong together",
        "bind: '0.0.0.0' is open to other machines",
    ):
        assert any(part in line for line in found), part


@pytest.mark.parametrize(
    ("variable", "value", "part"),
    [
        ("GORCH_PORT", "65536", "65536 is not a port"),
        ("GORCH_WORKERS", "0", "too small; write 1 or more"),
        ("GORCH_INSECURE", "maybe", "neither yes nor no"),
        ("GORCH_DATA", "", "the path is empty"),
        ("GORCH_EXECUTORS", "a", "name=value"),
        ("GORCH_EXECUTORS", "a=https://x:1,a=https://x:2", "names one twice"),
        ("GORCH_EXECUTORS", "", "no executor"),
        ("GORCH_EXECUTORS", "a=ftp://x", "is not the URL of an executor"),
        ("GORCH_EXECUTORS", "a=https://x:99999", "is not the URL of an executor"),
        ("GORCH_EXECUTORS", "a=https://x/path", "is not the URL of an executor"),
        ("GORCH_EXECUTORS", "a=https://me:secret@x", "the URL of a must not hold a name and a password; write"),
        ("GORCH_EXECUTORS", "a b=https://x", "is not a name of an executor"),
        ("GORCH_EXECUTORS", "a=http://x:1", "is not https"),
        ("GORCH_BIND", "a b", "is not a host"),
        ("GORCH_ALLOWED_HOSTS", "a.example:80", "write the name alone, 'a.example'"),
        ("GORCH_ALLOWED_HOSTS", "localhost,[::1]:8080", "write the name alone, '[::1]'"),
        ("GORCH_CLIENT_CA", "ca.pem", "over HTTPS only; give certfile and keyfile too"),
        ("GORCH_CLIENT_ROLES", "ci=operator", "nobody is asked for a certificate; give client_ca"),
        ("GORCH_CLIENT_ROLES", "ci=root", "ci: 'root' is unknown; write one of viewer, operator, admin"),
        ("GORCH_CORS_ORIGINS", "*", "'*' is no origin; write one such as https://console.example"),
        ("GORCH_CORS_ORIGINS", "https://x.example/", "is no origin"),
        ("GORCH_ZZZ", "1", "there are: GORCH_BIND"),
        ("GORCH_CONFIG", "/nowhere.toml", "cannot read /nowhere.toml: No such file"),
    ],
)
def test_a_fault_says_what_to_do(variable, value, part):
    (found,) = faults({variable: value})
    assert part in found


@pytest.mark.parametrize("name", ["a.example", "[::1]", "::1", "10.0.0.1"])
def test_names_and_addresses_without_a_port_are_allowed_hosts(name):
    assert Config.load({"GORCH_ALLOWED_HOSTS": name}).value.allowed_hosts == (name,)


@pytest.mark.parametrize("text", ["port = ", "\x00", "port = 1\nport = 2"])
def test_a_file_that_is_not_toml(tmp_path, text):
    (found,) = faults({"GORCH_CONFIG": written(tmp_path, text)})
    assert "not TOML" in found


def test_wrong_types_in_a_file(tmp_path):
    found = faults({"GORCH_CONFIG": written(tmp_path, "allowed_hosts = [1]\nbind = 1\n[executors]\na = 1\n")})
    assert [line.split(": ")[1] for line in found] == ["allowed_hosts", "bind", "executors"]


def test_a_wrong_value_in_the_file_is_a_fault_even_where_the_environment_says_better(tmp_path):
    found = faults({"GORCH_CONFIG": written(tmp_path, "port = -1\n"), "GORCH_PORT": "80"})
    assert "port: -1 is not a port" in found[0]


def test_variables_of_others_are_left_alone():
    config = Config.load(
        {"GORCH_URL": "x", "GORCH_EXECUTOR_PORT": "x", "GORCH_TASK_ID": "x", "GORCH_OUTPUT": "x"}
    ).value
    assert config.port == 8080


def test_loopback_and_insecure_addresses_are_allowed():
    for host in ("localhost", "127.0.0.2", "::1", "[::1]"):
        assert Config.load({"GORCH_BIND": host}).value.bind == host
    assert Config.load({"GORCH_BIND": "0.0.0.0", "GORCH_INSECURE": "yes"}).value.bind == "0.0.0.0"


def test_a_secret_is_not_a_variable_that_every_node_gets(tmp_path):
    file = written(tmp_path, 'env_allow = ["PATH", "TOKEN"]\n')
    environ = {"GORCH_EXECUTOR_CONFIG": file, "GORCH_EXECUTOR_SECRET_ENV": "KEY,TOKEN"}
    (fault,) = faults(environ, ExecutorConfig)
    assert fault == ("secret_env: TOKEN is in env_allow too, so every node would get it; take it out of one of them")
    assert ExecutorConfig.load(environ | {"GORCH_EXECUTOR_ENV_ALLOW": "PATH"}).value.secret_env == ("KEY", "TOKEN")


def test_a_config_made_by_hand_derives_its_paths(tmp_path):
    assert Config(certs=tmp_path).tls_ca == tmp_path / "ca.pem"
    assert ExecutorConfig(certs=tmp_path).tls_key == tmp_path / "executor.key"


def test_the_executor_has_its_own_prefix():
    config = ExecutorConfig.load(
        {"GORCH_EXECUTOR_CAPACITY": "3", "GORCH_PORT": "x", "GORCH_EXECUTOR_NAME": "a.b-c"}
    ).value
    assert (config.capacity, config.port, config.name) == (3, 8443, "a.b-c")
    assert "is not a name" in faults({"GORCH_EXECUTOR_NAME": "a b"}, ExecutorConfig)[0]


def test_an_executor_without_client_certificates_stays_on_loopback():
    (found,) = faults({"GORCH_EXECUTOR_INSECURE": "1", "GORCH_EXECUTOR_BIND": "0.0.0.0"}, ExecutorConfig)
    assert "every machine could run anything" in found


def test_paths_are_pinned_for_another_current_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.toml").write_text('tls_key = "k"\n')
    environ = {"GORCH_CERTS": "c", "GORCH_PORT": "1", "GORCH_CONFIG": "g.toml"}
    assert pinned(Config.load(environ), "GORCH_", "GORCH_CONFIG") == {
        "GORCH_CERTS": str(tmp_path / "c"),
        "GORCH_CONFIG": str(tmp_path / "g.toml"),
    }
    lists = {"GORCH_EXECUTOR_ARTIFACT_DIRS": "a,/b", "GORCH_EXECUTOR_ENV_ALLOW": "X"}
    loaded = ExecutorConfig.load(lists)
    assert loaded.value.artifact_dirs == (tmp_path / "a", Path("/b"))
    assert pinned(loaded, "GORCH_EXECUTOR_", "GORCH_EXECUTOR_CONFIG") == {
        "GORCH_EXECUTOR_ARTIFACT_DIRS": f"{tmp_path}/a,/b",
        "GORCH_EXECUTOR_ENV_ALLOW": "X",
    }
    (tmp_path / "e.toml").write_text('artifact_dirs = ["a"]\n')
    assert ExecutorConfig.load({"GORCH_EXECUTOR_CONFIG": "e.toml"}).value.artifact_dirs == (tmp_path / "a",)


def test_describe_is_ready_for_json():
    described = {item["name"]: item for item in describe(Config.load({"GORCH_LEASE": "2"}))}
    assert described["lease"]["value"] == 2.0
    assert described["lease"]["unit"] == "seconds"
    assert described["allowed_hosts"]["value"] == ["localhost", "127.0.0.1", "[::1]"]
    assert described["executors"]["value"] == {"executor": "https://127.0.0.1:8443"}
    assert described["certfile"]["value"] is None
    assert all(item["help"] for item in described.values())


@pytest.mark.parametrize("cls", [Config, ExecutorConfig])
def test_where_lines_of_the_log_go(cls, tmp_path):
    prefix = "GORCH_" if cls is Config else "GORCH_EXECUTOR_"
    text = 'syslog = "udp://[::1]?facility=local0"\n[log_levels]\nurllib3 = "error"\n"gorchestrator.engine" = "debug"\n'
    settings = {"CONFIG": written(tmp_path, text), "LOGSTASH": "tls://logs.example"}
    found = cls.load({prefix + name: value for name, value in settings.items()}).value
    assert found.log_levels == {"urllib3": "error", "gorchestrator.engine": "debug"}
    assert (found.syslog, found.logstash) == ("udp://[::1]?facility=local0", "tls://logs.example")
    assert hash(found) == hash(cls.load({prefix + name: value for name, value in settings.items()}).value)
    environ = {prefix + "LOG_LEVELS": "gunicorn.error=warning, executor=debug"}
    assert cls.load(environ).value.log_levels == {"gunicorn.error": "warning", "executor": "debug"}


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("LOG_LEVELS", "a=loud", "a: 'loud' is unknown; write one of debug, info, warning, error"),
        ("LOG_LEVELS", "a..b=info", "'a..b' is not the name of a logger"),
        ("LOG_LEVELS", "urllib3=debug", "urllib3: what libraries say at the level debug may hold secrets"),
        ("LOG_LEVELS", "root=info", "root has the level that log_level says"),
        (
            "SYSLOG",
            "127.0.0.1:514",
            "is not an address that lines can be sent to; write one such as udp://127.0.0.1:514",
        ),
        ("SYSLOG", "tls://a", "is not an address that lines can be sent to"),
        ("SYSLOG", "udp://a:x", "is not an address; write one such as udp://127.0.0.1:514"),
        ("SYSLOG", "udp://a?facility=x", "'x' is not a facility; write one of user, daemon, local0"),
        ("SYSLOG", "udp://a?facilty=daemon", "'facilty' is unknown; only facility can follow the address"),
        ("SYSLOG", "udp://", "is not an address of a host; write udp://127.0.0.1:514"),
        ("SYSLOG", "udp://a:0", "is not an address of a host"),
        ("SYSLOG", "unix://dev/log", "names no socket file; write unix:///dev/log"),
        ("SYSLOG", f"unix:///{'x' * 108}", "names no socket file"),
        ("LOGSTASH", "udp://a", "is not an address that lines can be sent to; write one such as tcp://127.0.0.1:5000"),
        ("LOGSTASH", "tcp://user:word@a", "LOGSTASH: an address has no name of a user; write one such as"),
        ("LOGSTASH", "tcp://a/path", "is not an address of a host"),
        ("LOGSTASH", "tcp://a?facility=daemon", "'facility' is unknown; nothing can follow the address"),
        ("LOGSTASH_LEVEL", "loud", "'loud' is unknown"),
    ],
)
@pytest.mark.parametrize("cls", [Config, ExecutorConfig])
def test_where_lines_cannot_go(cls, name, text, fault):
    prefix = "GORCH_" if cls is Config else "GORCH_EXECUTOR_"
    (found,) = faults({prefix + name: text}, cls)
    assert fault in found
