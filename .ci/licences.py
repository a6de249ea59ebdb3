"""Print the licence of every installed library, as its own metadata states it."""

from importlib.metadata import Distribution, distributions


def licence(library: Distribution) -> str:
    about = library.metadata
    classifiers = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier", []) if line.startswith("License")]
    text = (about.get("License") or "not stated").splitlines()[0]
    return about.get("License-Expression") or ", ".join(classifiers) or text


lines = {f"{library.name} {library.version}: {licence(library)}" for library in distributions()}
print(*sorted(lines, key=str.lower), sep="\n")
