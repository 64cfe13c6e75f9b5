"""Runs the simulator's command line."""

from fleetloop_firmware_sim.cli import main

if __name__ == "__main__":
    main()
