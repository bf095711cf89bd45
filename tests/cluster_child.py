"""A Ray cluster of two nodes on this machine, each with a core: prints its address, kills the second one at `kill`.

Every port is named, so that a node waits for none to be found, which it does for 15 s only. Their address is not
127.0.0.1, in whose place Ray puts that of the machine.
"""

import os
import socket
import sys

from ray.cluster_utils import Cluster

ADDRESS = "127.0.0.2"
PORTS = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port")


def free():
    """Settings of a node: a core, little memory, ports that nobody has."""
    sockets = [socket.socket() for _ in PORTS]
    for one in sockets:
        one.bind((ADDRESS, 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    memory = {"object_store_memory": 80 * 2**20, "memory": 2 * 2**30}
    return {"num_cpus": 1, "node_ip_address": ADDRESS, "include_dashboard": False, **memory, **dict(zip(PORTS, ports))}


def main():
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    cluster = Cluster(initialize_head=True, head_node_args=free())
    other = cluster.add_node(**free())
    print(cluster.address, flush=True)
    for line in sys.stdin:
        if line.strip() == "kill":
            cluster.remove_node(other, allow_graceful=False)
            print("killed", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
