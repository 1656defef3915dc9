"""Harmless photographs that other packages install, for tests on real pictures."""

from importlib.util import find_spec
from pathlib import Path

from tests.requirements import missing

WHEEL_PHOTOGRAPHS = {
    "skimage/data": (
        *("astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "coffee.png"),
        *("coins.png", "grass.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png"),
        *("microaneurysms.png", "moon.png", "motorcycle_left.png", "page.png", "retina.jpg"),
        *("rocket.jpg", "text.png"),
    ),
    "sklearn/datasets/images": ("china.jpg", "flower.jpg"),
}
"""Photographs inside the wheels of scikit-image and scikit-learn, which the tests depend on."""

_PLASMA = "/usr/share/wallpapers/{}/contents/images/2560x1600.jpg"

DEBIAN_PHOTOGRAPHS = {
    "plasma-workspace-wallpapers": tuple(
        _PLASMA.format(name)
        for name in (
            *("BytheWater", "ColdRipple", "ColorfulCups", "EveningGlow", "FallenLeaf", "Grey"),
            *("Kite", "OneStandsOut", "Path", "summer_1am"),
        )
    ),
    "lomiri-wallpapers": tuple(
        f"/usr/share/backgrounds/{name}.jpg"
        for name in (
            *("Bridge_by_Sander_Klootwijk", "Dragonfly_by_Bolly", "Kleiber_by_Lukas_Baubkus"),
            *("Picture_0B_by_freespace", "Picture_1A_by_freespace", "Wine_by_Jakkub_Mede"),
            *("aitzgorri_by_Aitzol_Berasategi", "free_by_Peter_Nerlich"),
            *("friends_by_Aitzol_Berasategi", "greentock_by_Peter_Nerlich"),
            *("life_by_Aitzol_Berasategi", "picosdeeuropa_by_Aitzol_Berasategi"),
            *("seeding_by_Clements_Engelhardt", "sunset_by_Aitzol_Berasategi"),
        )
    ),
    "mate-backgrounds": tuple(
        f"/usr/share/backgrounds/mate/nature/{name}.jpg"
        for name in (
            *("Aqua", "Blinds", "Dune", "FreshFlower", "Garden", "GreenMeadow", "LadyBird"),
            *("RainDrops", "Storm", "TwoWings", "Wood", "YellowFlower"),
        )
    ),
    "palapeli-data": tuple(
        f"/usr/share/palapeli/collection/{name}.jpg"
        for name in (
            *("castle-maintenon", "cincinnati-bridge", "citrus-fruits", "european-honey-bee"),
            "panther-chameleon-female",
        )
    ),
}
"""Photographs in Debian packages, by package."""

FLAT_PICTURES = (
    "/usr/share/backgrounds/Fossa_by_Jasper_Roks.jpg",
    "/usr/share/backgrounds/umang_by_Abhishek_Mudgal.jpg",
    "/usr/share/wallpapers/DarkestHour/contents/images/2560x1600.jpg",
    "/usr/share/wallpapers/PastelHills/contents/images/3200x2000.jpg",
)
"""Pictures of a PDQ quality below 50, from the same packages."""


def wheel_photographs() -> dict[str, Path]:
    """Names and paths of the photographs inside wheels."""
    return {
        name: _package(folder) / name
        for folder, names in WHEEL_PHOTOGRAPHS.items()
        for name in names
    }


def photographs() -> list[Path]:
    """All photographs; those that are not installed too."""
    debian = [Path(path) for paths in DEBIAN_PHOTOGRAPHS.values() for path in paths]
    return [*wheel_photographs().values(), *debian]


def require(path: Path) -> Path:
    """The same path, if that picture is installed; otherwise the test is skipped."""
    if not path.exists():
        missing(f"the photograph {path}", f"apt-get install {' '.join(DEBIAN_PHOTOGRAPHS)}")
    return path


def _package(folder: str) -> Path:
    name, _, rest = folder.partition("/")
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        missing(name, "make test installs it")
    return Path(spec.origin).parent / rest
