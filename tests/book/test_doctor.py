from collections import namedtuple

from seisbook import cli
from seisbook.book import doctor
from seisbook.catalogues import sources


def test_this_machine_passes_where_it_must():
    """The environment of the tests is the locked one, and this machine can train."""
    for finding in (doctor.python(), doctor.disk(), doctor.memory(), doctor.kernel(), doctor.training()):
        assert finding.well or not finding.needed, finding


def test_another_version_is_named(monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "papermill" else "0.0")
    finding = doctor.packages()
    assert not finding.well
    assert "is 0.0" in finding.text
    assert "more: run `python -m pip install" in finding.text


def test_too_little_disk_and_memory_are_said(monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage(1, 1, 0.4e9))
    monkeypatch.setattr(doctor.os, "sysconf", lambda name: 4096 if "SIZE" in name else 500_000)
    assert not doctor.disk().well
    assert doctor.memory() == ("memory", False, "2 GB; 4 GB are needed", True)


def test_a_system_that_does_not_tell_its_memory_is_no_failure(monkeypatch):
    def unknown(name):
        raise ValueError(name)

    monkeypatch.setattr(doctor.os, "sysconf", unknown)
    assert not doctor.memory().needed


def test_missing_real_data_is_a_note(monkeypatch):
    monkeypatch.setattr(sources, "is_available", lambda network: network != "colombia")
    finding = doctor.real_data()
    assert (finding.well, finding.needed) == (False, False)
    assert "no real readings of colombia" in finding.text


def test_a_kernel_of_another_python_is_said(monkeypatch):
    from jupyter_client import kernelspec

    spec = kernelspec.KernelSpec(argv=["/elsewhere/bin/python", "-m", "ipykernel_launcher"])
    monkeypatch.setattr(kernelspec, "get_kernel_spec", lambda name: spec)
    assert "notebooks run with /elsewhere/bin/python" in doctor.kernel().text


def test_the_command_says_ready_or_not(monkeypatch, capsys):
    good, bad = doctor.Finding("disk", True, "9 GB"), doctor.Finding("memory", False, "1 GB")
    monkeypatch.setattr(doctor, "examine", lambda: [good, bad._replace(needed=False)])
    assert cli.main(["doctor"]) == 0
    assert "This machine is ready." in capsys.readouterr().out
    monkeypatch.setattr(doctor, "examine", lambda: [good, bad])
    assert cli.main(["doctor"]) == 1
    assert "Not ready yet: see memory." in capsys.readouterr().out
