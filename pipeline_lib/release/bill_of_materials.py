"""The bill of materials of a package, in CycloneDX 1.6: the model with its card, the data, the packages it needs."""

import uuid
from collections.abc import Mapping
from typing import Any

_NAMESPACE = uuid.UUID("0b1c7d3e-0a55-4d5b-9f0e-5a7d4f4d1f6a")


def bill_of_materials(facts: Mapping[str, Any], requirements: Mapping[str, str]) -> dict[str, Any]:
    """The document, the same for the same record. `requirements` are names and versions that were proven."""
    name = f"{facts['package']}@{facts['version']}"
    libraries = [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{package}@{version}",
            "name": package,
            "version": version,
            "purl": f"pkg:pypi/{package}@{version}",
        }
        for package, version in sorted(requirements.items())
    ]
    data = {
        "type": "data",
        "bom-ref": "training-rows",
        "name": f"training rows of {facts['record']}",
        "hashes": [{"alg": "SHA-256", "content": facts["training"]["digest"]}],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, facts['digest'])}",
        "version": 1,
        "metadata": {"timestamp": facts["finished"], "component": _model(facts, name)},
        "components": [*libraries, data],
        "dependencies": [
            {"ref": name, "dependsOn": [*(str(library["bom-ref"]) for library in libraries), "training-rows"]}
        ],
    }


def _model(facts: Mapping[str, Any], name: str) -> dict[str, Any]:
    metrics = [
        {"type": metric, "value": repr(value) if isinstance(value, float) else str(value)}
        for metric, value in facts["metrics"].items()
    ]
    return {
        "type": "machine-learning-model",
        "bom-ref": name,
        "name": facts["package"],
        "version": facts["version"],
        "description": f"compiled pipeline of the record {facts['record']}",
        "hashes": [{"alg": "SHA-256", "content": facts["hashes"]["artifact"]}],
        "modelCard": {
            "modelParameters": {
                "task": "classification" if facts["classes"] else "regression",
                "datasets": [{"ref": "training-rows"}],
                "inputs": [{"format": "raw row, see the schema of the package"}],
                "outputs": [{"format": output} for output in facts["outputs"]],
            },
            "quantitativeAnalysis": {"performanceMetrics": metrics},
        },
    }
