"""Names of a lab's things: short enough, its own, and readable back."""

from pathlib import Path

from lab.identity import Lab, lab_of_labels, lab_of_mark

LAB = Lab("lab", Path("/srv/check out/.lab"))


def test_names_of_network_devices_fit_into_linux() -> None:
    long = Lab("a-site-with-a-rather-long-name", Path("/x"))
    assert len(long.bridge_device("bridge-integration", 4094)) <= 15
    assert len(long.wire(999_999_999, 31)) <= 15
    assert len(long.chain) <= 28


def test_each_bridge_and_tag_is_a_network_of_its_own() -> None:
    names = [LAB.bridge_device(bridge, tag) for bridge in ("vmbr0", "vmbr1") for tag in (None, 1, 2)]
    assert len(set(names)) == len(names)
    assert all(name.startswith(LAB.bridge_prefix) for name in names)


def test_names_are_the_same_every_time_and_differ_between_sites() -> None:
    assert LAB.bridge_device("vmbr0", None) == Lab("lab", Path("/elsewhere")).bridge_device("vmbr0", None)
    assert LAB.bridge_device("vmbr0", None) != Lab("other", Path("/x")).bridge_device("vmbr0", None)
    assert LAB.wire(100, 0) != LAB.wire(100, 1) != LAB.wire(101, 0)


def test_a_mark_and_labels_name_their_lab() -> None:
    assert lab_of_mark(LAB.mark) == LAB
    assert lab_of_labels(LAB.labels) == LAB


def test_marks_and_labels_of_others_name_no_lab() -> None:
    assert lab_of_mark("") is None
    assert lab_of_mark("uplink to hypercompose.lab=lab hypercompose.lab.dir=/x") is None
    assert lab_of_mark("hypercompose.lab=lab") is None
    assert lab_of_labels({"hypercompose.lab": "lab"}) is None


def test_a_cable_is_not_taken_for_a_bridge() -> None:
    assert lab_of_mark(f"vm=100 net0 {LAB.mark}") is None
