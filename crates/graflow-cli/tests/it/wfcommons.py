"""Prints the task graph of a scientific workflow as JSON: nodes, edges, and a duration for each node.

The graph is the one that the package wfcommons carries. It carries no durations with it, but distributions of them
by task type: durations are drawn from those, with a fixed seed, so that they are the same each time.
"""

import importlib.metadata
import json
import math
import pickle
import random
import sys

recipe, instance = sys.argv[1:]
folder = importlib.metadata.distribution("wfcommons").locate_file(f"wfcommons/wfchef/recipes/{recipe}")
with open(f"{folder}/microstructures/{instance}/base_graph.pickle", "rb") as file:
    graph = pickle.load(file)
with open(f"{folder}/task_type_stats.json") as file:
    statistics = json.load(file)
draw = random.Random(20261123)


def sample(name, parameters):
    """Draws from a distribution of scipy's, by its name there."""
    *shape, loc, scale = parameters
    match name:
        case "beta":
            value = draw.betavariate(*shape)
        case "norm":
            value = draw.gauss(0, 1)
        case "rdist":
            value = 2 * draw.betavariate(shape[0] / 2, shape[0] / 2) - 1
        case "dweibull":
            value = draw.weibullvariate(1, shape[0]) * draw.choice((-1, 1))
        case "trapezoid" if shape == [1.0, 1.0]:
            value = math.sqrt(draw.random())
        case "argus" if shape[0] < 0.001:
            # The limit for a shape of nothing; these are as good as that.
            value = math.sqrt(1 - draw.random() ** (2 / 3))
        case _:
            raise ValueError(f"no way to draw from {name} {parameters}")
    return loc + scale * value


def seconds(task_type):
    if task_type not in statistics:
        return 0.0  # The source and the sink that the graph is closed with.
    runtime = statistics[task_type]["runtime"]
    share = min(1.0, max(0.0, sample(runtime["distribution"]["name"], runtime["distribution"]["params"])))
    return runtime["min"] + share * (runtime["max"] - runtime["min"])


json.dump(
    {
        "nodes": [
            {"id": node, "type": data["type"], "seconds": seconds(data["type"])} for node, data in graph.nodes(data=True)
        ],
        "edges": [list(edge) for edge in graph.edges],
    },
    sys.stdout,
)
