"""The suite `fallback`: each way from the asked device to another is seen, told and harmless.

Some cases ask the build and the host as they are. The others stand on a *pretended build*, which
claims every provider, fails where the case says so and makes its sessions on the CPU EP: so the
backend's whole chain is walked on every cell, whatever the build has.
"""

from __future__ import annotations

from harness.wire.catalogue.procedures import Procedure
from harness.wire.providers import DeviceRequest


def _path(device: DeviceRequest) -> str:
    return device.lower().replace("_", "-")


def _anywhere(name: str, about: str, *, own_worker: bool = False) -> Procedure:
    """Return a case that says something on a host without the asked device as well."""
    return Procedure(id=f"fallback/{name}", about=about, needs_device=False, own_worker=own_worker)


# --- The backend's chain, on a pretended build ----------------------------------------------------

CHAIN = {
    device: _anywhere(
        f"chain/{_path(device)}",
        f"Asked for {device}, each candidate is tried in its turn, whichever way those before it "
        "fail, and each failure is told with its stage, its status and its text.",
    )
    for device in DeviceRequest
}
OPTIONS_KEPT = _anywhere(
    "kept/options", "Each candidate gets its own options and all that the caller gave it."
)
THREADS_KEPT = _anywhere(
    "kept/threads",
    "After a fallback a session has the threads that the caller asked for.",
    own_worker=True,  # counts the threads of the process
)
CONFIG_KEPT = _anywhere(
    "kept/config", "Each candidate gets the caller's session configuration entries."
)
FP16_KEPT = _anywhere(
    "kept/fp16", "After a fallback fp16_io casts as before, and OpenVINO is asked for FP16."
)
STRICT = _anywhere(
    "strict", "Opened strictly, a request that cannot be met is an error with its one step."
)
NOTHING_SERVES = _anywhere(
    "nothing-serves",
    "Where no candidate makes a session the error has every step, and the next open is none the "
    "worse for it.",
)
RELEASED = _anywhere(
    "released", "What failed candidates made is let go at once, the rest at close."
)
RUN_FAILS = _anywhere(
    "run-fails", "A provider that fails at run is an error, never a silent run on another one."
)
NO_NODE_TAKEN = _anywhere(
    "no-node-taken", "A provider that is registered and takes no node is told as FALLBACK."
)

# --- The build and the host as they are -----------------------------------------------------------

HERE = {
    device: _anywhere(
        f"here/{_path(device)}",
        f"Asked for {device} on this host, this build goes down the chain as far as it must, says "
        "why, and gives the CPU's result.",
    )
    for device in DeviceRequest
}
NOT_IN_BUILD = _anywhere(
    "not-in-build", "A provider of another build is told at registration, and the CPU serves."
)
BAD_MODEL = _anywhere(
    "bad-model",
    "A model that nothing loads is refused by every candidate in its turn, and the next one opens.",
)
UNKNOWN_PROVIDER = _anywhere(
    "unknown-provider", "Options for a provider that nobody knows are refused, with a suggestion."
)
DRIVER_MISSING = _anywhere(
    "driver-missing",
    "A GPU's provider on a host without that GPU is told at creation, however silent the build.",
)
DEVICE_INDEX = _anywhere(
    "device-index", "A device index that does not exist never makes a session on the provider."
)
DEVICES_HIDDEN = _anywhere(
    "devices-hidden",
    "Devices hidden by environment variables are as good as missing.",
    own_worker=True,  # a driver reads them once
)
CPU_FORBIDDEN = _anywhere(
    "cpu-forbidden", "With the CPU EP forbidden for fallback, a missing device is an error."
)
PROVIDER_LIBRARY = _anywhere(
    "provider-library",
    "A provider's library that cannot be loaded is refused, and the build works on.",
    own_worker=True,  # whatever such a library leaves behind
)
PLUGIN_LIBRARY = _anywhere(
    "plugin-library",
    "A plug-in's library that cannot be registered is refused, and the build works on.",
    own_worker=True,
)

# --- What ONNX Runtime's own fallback does --------------------------------------------------------

OWN_HERE = _anywhere(
    "own/here", "Asked for a provider that is not in the build, ONNX Runtime itself says so."
)
OWN_AT_CREATION = _anywhere(
    "own/creation", "ONNX Runtime's own fallback at creation says what it did."
)
OWN_AT_RUN = _anywhere("own/run", "ONNX Runtime's own fallback at run says what it did.")
OWN_KEEPS_OPTIONS = _anywhere(
    "own/options", "ONNX Runtime's own fallback keeps the options of the provider that it takes."
)
OWN_SWITCHED_OFF = _anywhere(
    "own/switched-off", "With enable_fallback=0, ONNX Runtime's own fallback does nothing."
)
OWN_SILENT = _anywhere(
    "own/silent",
    "With enable_fallback=0, a provider of the build whose device is missing here is an error.",
)
BINDING_NEVER_FALLS_BACK = _anywhere(
    "own/not-in-the-binding", "The binding falls back by itself neither at creation nor at run."
)

# --- Placement ------------------------------------------------------------------------------------

EVERY_NODE = Procedure(
    id="fallback/placement/every-node",
    about="A model that the asked provider takes whole has every node on it.",
)
SOME_NODES = Procedure(
    id="fallback/placement/some-nodes",
    about="What the asked provider does not take is told as the CPU's, and as FALLBACK if it is "
    "all of the model.",
)
TWO_WAYS = Procedure(
    id="fallback/placement/two-ways",
    about="The assignment that a session states is what its profile shows.",
)

CASES: tuple[Procedure, ...] = (
    *CHAIN.values(),
    OPTIONS_KEPT,
    THREADS_KEPT,
    CONFIG_KEPT,
    FP16_KEPT,
    STRICT,
    NOTHING_SERVES,
    RELEASED,
    RUN_FAILS,
    NO_NODE_TAKEN,
    *HERE.values(),
    NOT_IN_BUILD,
    BAD_MODEL,
    UNKNOWN_PROVIDER,
    DRIVER_MISSING,
    DEVICE_INDEX,
    DEVICES_HIDDEN,
    CPU_FORBIDDEN,
    PROVIDER_LIBRARY,
    PLUGIN_LIBRARY,
    OWN_HERE,
    OWN_AT_CREATION,
    OWN_AT_RUN,
    OWN_KEEPS_OPTIONS,
    OWN_SWITCHED_OFF,
    OWN_SILENT,
    BINDING_NEVER_FALLS_BACK,
    EVERY_NODE,
    SOME_NODES,
    TWO_WAYS,
)
