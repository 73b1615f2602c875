"""What every product's declaration says is so: its compose file has it, and its sizes are what its limits come to."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from lab.services.own_images import FOLDER as IMAGES
from provisioning.images.build import keys_in
from settings.product import Product, load_catalogue
from tests.compose.test_projects import content

CATALOGUE = load_catalogue()
SIZES = [pytest.param(name, size, id=f"{name}-{size}") for name, one in CATALOGUE.items() for size in one.hosting.sizes]
_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


@pytest.fixture(params=CATALOGUE)
def product(request: pytest.FixtureRequest) -> Product:
    return CATALOGUE[request.param]


def limits(product: Product, size: str, key: str) -> list[str]:
    """A limit of every service, with the size's values in it."""
    values = product.size(size).variables
    services: dict[str, dict[str, Any]] = content(product.name)["services"]
    return [_VARIABLE.sub(lambda m: values.get(m[1], m[2]), str(one[key])) for one in services.values()]


@pytest.mark.parametrize(("name", "size"), SIZES)
def test_a_sizes_memory_is_the_sum_of_its_limits(name: str, size: str) -> None:
    product = CATALOGUE[name]
    found = [re.fullmatch(r"(\d+)m", limit) for limit in limits(product, size, "mem_limit")]
    assert sum(int(limit[1]) for limit in found if limit) == product.size(size).memory_mib and all(found)


@pytest.mark.parametrize(("name", "size"), SIZES)
def test_limits_are_numbers_that_compose_takes(name: str, size: str) -> None:
    assert all(float(limit) > 0 for limit in limits(CATALOGUE[name], size, "cpus"))
    assert CATALOGUE[name].size(size).description.endswith(".")


def test_the_default_size_is_what_the_compose_file_says_by_itself(product: Product) -> None:
    found = product.size().variables
    assert found == {name: product.declared.parameters[name].default for name in found}


def test_sizes_differ_in_the_same_variables_and_grow(product: Product) -> None:
    sizes = list(product.hosting.sizes.values())
    assert {frozenset(size.variables) for size in sizes} == {frozenset(sizes[0].variables)}
    assert all(before.memory_mib < after.memory_mib for before, after in pairwise(sizes))


def test_a_version_names_an_image_for_each_key_of_the_compose_file(product: Product) -> None:
    used = {service["image"] for service in content(product.name)["services"].values()}
    for name, version in product.hosting.versions.items():
        assert set(version.images) == used, name
        assert {key for key in version.images.values() if key not in keys_in(IMAGES)} == set(version.external), name


def test_an_instance_takes_the_networks_that_it_says(product: Product) -> None:
    assert len(content(product.name)["networks"]) == product.hosting.networks


def test_what_a_final_backup_is_of_is_there(product: Product) -> None:
    assert product.hosting.final_backup == "none" or content(product.name)["volumes"]


def test_each_port_is_a_parameter_of_the_platform(product: Product) -> None:
    for port in product.declared.ports.values():
        declared = product.declared.parameters[port.variable]
        assert declared.platform and declared.type == "integer"


def test_settings_of_an_order_have_types_that_keep_hostile_text_out(product: Product) -> None:
    for name, parameter in product.settings.items():
        assert parameter.type != "text" or parameter.pattern, name
        with pytest.raises(ValueError, match=r"."):
            parameter.checked("'; $(reboot)\n`id`")


def test_deadlines_fit_those_of_the_containers(product: Product) -> None:
    hosting = product.hosting
    assert hosting.stop_s <= hosting.start_s <= hosting.ready_s
