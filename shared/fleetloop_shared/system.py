"""How a device's machine is doing, as its health reports tell it; what has no sensor is unknown."""

import msgspec


class SystemHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The machine since the last health report; None is what the machine does not say.

    Attributes:
        agent_cpu_ratio: Processor time of the agent, in cores: 1.0 is one core all the time.
        machine_cpu_ratio: Share of all cores that anybody used, 0 to 1.
        memory_available_bytes: What programs can still have without swapping.
        memory_total_bytes: Of the machine.
        disk_free_bytes: On the disk of the state folder, for the agent's user.
        disk_total_bytes: Of that disk.
        temperature_c: The hottest thermal zone, in °C.
        machine_uptime_s: Since the machine was started.
    """

    agent_cpu_ratio: float | None = None
    machine_cpu_ratio: float | None = None
    memory_available_bytes: int | None = None
    memory_total_bytes: int | None = None
    disk_free_bytes: int | None = None
    disk_total_bytes: int | None = None
    temperature_c: float | None = None
    machine_uptime_s: float | None = None


class ClockOffset(msgspec.Struct, frozen=True, kw_only=True):
    """How far the device's clock is from the hub's.

    A report that left at `t0` was acknowledged by the hub at its time `h`, and the acknowledgement
    came at `t1`: the offset is `(t0 + t1) / 2 - h`, and wrong by half the round trip at the most.
    Source: F. Cristian, Probabilistic clock synchronization, Distributed Computing 3 (1989).

    Attributes:
        offset_s: The device's clock minus the hub's.
        uncertain_s: The true offset is no further away than this, unless a clock jumped meanwhile.
    """

    offset_s: float
    uncertain_s: float
