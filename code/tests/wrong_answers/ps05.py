"""Answers that a class in earnest gives to problem set 5, and what they earn."""

PATHS = """
u_first = np.array([np.cos(np.radians(first)), np.sin(np.radians(first))])
u_second = np.array([np.cos(np.radians(second)), np.sin(np.radians(second))])
u_other = np.array([np.cos(np.radians(other)), np.sin(np.radians(other))])
gradient = np.linalg.solve(np.array([u_first, u_second]), np.array([slope_first, slope_second]))
third = u_other @ gradient
way_down = np.degrees(np.arctan2(-gradient[1], -gradient[0])) % 360
"""

PULL = """
values = np.linalg.eigvalsh(A)
mu = (values[1] - goal * values[0]) / (goal - 1)
limit = 2 / (values[1] + mu)
lowest = np.linalg.solve(A + mu * np.eye(2), A @ centre)
"""

ADAPTIVE = """
def adaptive(M, begin, eta, steps):
    path = np.zeros((steps + 1, len(begin)))
    path[0] = begin
    for k in range(steps):
        path[k + 1] = path[k] - eta * M @ path[k]
        d = path[k + 1] - path[k]
        q = M @ d
        if d @ q > 0:
            eta = (d @ d) / (d @ q)
    return path
"""

COUNTS = """
def count(path):
    k = 0
    while np.linalg.norm(path[k]) > np.linalg.norm(start) / 1000:
        k += 1
    return k

best = 2 / sum(np.linalg.eigvalsh(A))
fixed_steps = count(descend(lambda w: A @ w, start, best, 2000))
adaptive_steps = count(adaptive(A, start, 0.001, 60))
"""

FILMS = """
found = check_function(lambda x: film_loss(x, ratings, known),
                       lambda x: hasty_gradient(x, ratings, known), theta)
faulty = {"V", "c"}
error = found["V"]


def film_gradient(theta, ratings, known):
    p = 3 + theta["U"] @ theta["V"].T + theta["b"][:, None] + theta["c"]
    e = np.where(known, p - ratings, 0) / known.sum()
    return {"U": e @ theta["V"] + theta["U"] / 50, "V": e.T @ theta["U"] + theta["V"] / 50,
            "b": e.sum(axis=1), "c": e.sum(axis=0)}

never = {"U", "V"}
"""

NOISY = """
paths = [noisy_paths(eta) for eta in etas]
last = [np.sqrt((p[-1] ** 2).mean()) for p in paths]
averaged = [np.sqrt((p[-1000:].mean(axis=0) ** 2).mean()) for p in paths]
needed = 2 * curvature * averaged[0]**2 / (noise**2 + (curvature * averaged[0])**2)
"""
NEEDED = "2 * curvature * averaged[0]**2 / (noise**2 + (curvature * averaged[0])**2)"


def changed(source, old, new):
    assert source.count(old) == 1, f"expected once: {old}"
    return source.replace(old, new)


WRONG = [
    # (what was misunderstood, {answer cell: its whole source}, {task: points it earns})
    ("the slopes are taken for components of the gradient along the paths",
     {"task-1": changed(
         PATHS,
         "np.linalg.solve(np.array([u_first, u_second]), np.array([slope_first, slope_second]))",
         "slope_first * u_first + slope_second * u_second")},
     {"task-1": 0}),
    ("the directions are counted from the north, as on a compass",
     {"task-1": PATHS.replace("np.cos", "np.SIN").replace("np.sin", "np.cos")
      .replace("np.SIN", "np.sin")},
     {"task-1": 1}),
    ("degrees go into the cosine as they are",
     {"task-1": PATHS.replace("np.radians", "")},
     {"task-1": 0}),
    ("the slope goes on in a straight line from the first path to the second and on to the third",
     {"task-1": changed(PATHS, "u_other @ gradient",
                        "slope_first + (slope_second - slope_first)"
                        " * (other - first) / (second - first)")},
     {"task-1": 2}),
    ("the arctangent of the quotient, which knows only half of the directions",
     {"task-1": changed(PATHS, "np.arctan2(-gradient[1], -gradient[0])",
                        "np.arctan(gradient[1] / gradient[0])")
      + "way_down = way_down if gradient[0] > 0 else (way_down + 180) % 360"},
     {"task-1": 2}),
    ("the direction of steepest ascent",
     {"task-1": changed(PATHS, "np.arctan2(-gradient[1], -gradient[0])",
                        "np.arctan2(gradient[1], gradient[0])")},
     {"task-1": 2}),
    ("the direction in radians",
     {"task-1": changed(PATHS, "np.degrees(np.arctan2(-gradient[1], -gradient[0])) % 360",
                        "np.arctan2(-gradient[1], -gradient[0]) % (2 * np.pi)")},
     {"task-1": 2}),
    ("the diagonal of A is taken for its curvatures",
     {"task-2": changed(PULL, "np.linalg.eigvalsh(A)", "np.sort(np.diag(A))")},
     {"task-2": 0}),
    ("the limit of the valley without the pull",
     {"task-2": changed(PULL, "2 / (values[1] + mu)", "2 / values[1]")},
     {"task-2": 2}),
    ("the best step size instead of the limit",
     {"task-2": changed(PULL, "2 / (values[1] + mu)", "2 / (values[0] + values[1] + 2 * mu)")},
     {"task-2": 2}),
    ("the pull makes the valley rounder and leaves its lowest point",
     {"task-2": changed(PULL, "np.linalg.solve(A + mu * np.eye(2), A @ centre)", "centre")},
     {"task-2": 2}),
    ("mu is added to all entries of A",
     {"task-2": changed(PULL, "A + mu * np.eye(2)", "A + mu")},
     {"task-2": 2}),
    ("the quotient of d and q is taken entry by entry",
     {"task-3-a": changed(ADAPTIVE, "(d @ d) / (d @ q)", "d / q")},
     {"task-3": 1}),
    ("d . q over q . q: nearest the other way round",
     {"task-3-a": changed(ADAPTIVE, "(d @ d) / (d @ q)", "(d @ q) / (q @ q)"),
      "task-3-b": COUNTS},
     {"task-3": 2}),
    ("the step size is updated after the next step instead of before it",
     {"task-3-a": """
def adaptive(M, begin, eta, steps):
    w, path = np.array(begin, dtype=float), []
    path.append(w)
    next_eta = eta
    for _ in range(steps):
        new = w - eta * M @ w
        eta = next_eta
        d, q = new - w, M @ new - M @ w
        if d @ q > 0:
            next_eta = (d @ d) / (d @ q)
        w = new
        path.append(w)
    return np.array(path)
"""},
     {"task-3": 2}),
    ("begin is moved along, and with it the caller's array",
     {"task-3-a": """
def adaptive(M, begin, eta, steps):
    w = begin
    path = [w.copy().astype(float)]
    for _ in range(steps):
        old = w.copy()
        w[:] = w - eta * M @ w
        path.append(w.copy().astype(float))
        d = w - old
        if d @ M @ d > 0:
            eta = (d @ d) / (d @ M @ d)
    return np.array(path)
""", "task-3-b": changed(COUNTS, "adaptive(A, start,", "adaptive(A, start.copy(),")},
     {"task-3": 4}),
    ("only two coordinates are thought of",
     {"task-3-a": changed(ADAPTIVE, "        if d @ q > 0:\n            eta = (d @ d) / (d @ q)",
                          "        if d @ q > 0:\n            eta = (d[0]**2 + d[1]**2)"
                          " / (d[0] * q[0] + d[1] * q[1])")},
     {"task-3": 4}),
    ("at the lowest point 0 is divided by 0",
     {"task-3-a": changed(ADAPTIVE, "        if d @ q > 0:\n            eta = (d @ d) / (d @ q)",
                          "        eta = (d @ d) / (d @ q)")},
     {"task-3": 4}),
    ("the best step size by the larger curvature alone, 1 / lambda",
     {"task-3-b": changed(COUNTS, "2 / sum(np.linalg.eigvalsh(A))",
                          "1 / max(np.linalg.eigvalsh(A))")},
     {"task-3": 4}),
    ("both counts are rows, not steps",
     {"task-3-b": changed(COUNTS, "return k\n", "return k + 1\n")},
     {"task-3": 3}),
    ("only the first faulty block is named",
     {"task-4": changed(FILMS, 'faulty = {"V", "c"}', 'faulty = {"V"}')},
     {"task-4": 3}),
    ("the relative error of the last faulty block",
     {"task-4": changed(FILMS, 'found["V"]', 'found["c"]')},
     {"task-4": 3}),
    ("the blocks are mended inside the hasty gradient, which needs as many films as viewers",
     {"task-4": changed(FILMS, "    return {", "    hasty_gradient(theta, ratings, known)\n"
                        "    return {")},
     {"task-4": 3}),
    ("the function looks at the notebook's ratings, not at its arguments",
     {"task-4": changed(FILMS, "def film_gradient(theta, ratings, known):",
                        "R, K = ratings, known\n\ndef film_gradient(theta, ratings, known):")
      .replace("np.where(known, p - ratings, 0) / known.sum()", "np.where(K, p - R, 0) / K.sum()")},
     {"task-4": 3}),
    ("the sum for each film is left along the viewers' rows",
     {"task-4": changed(FILMS, '"c": e.sum(axis=0)', '"c": e.sum(axis=1)')},
     {"task-4": 2}),
    ("the names of the blocks in one text",
     {"task-4": changed(FILMS, 'never = {"U", "V"}', 'never = "U, V"')},
     {"task-4": 3}),
    ("nothing moves where everything is zero",
     {"task-4": changed(FILMS, 'never = {"U", "V"}', 'never = {"U", "V", "b", "c"}')},
     {"task-4": 3}),
    ("the mean of the sizes instead of the root of the mean square",
     {"task-5": changed(NOISY, "np.sqrt((p[-1] ** 2).mean())", "abs(p[-1]).mean()")},
     {"task-5": 2}),
    ("the mean square, without the root",
     {"task-5": changed(NOISY, "np.sqrt((p[-1] ** 2).mean())", "np.sqrt((p ** 2).mean())")},
     {"task-5": 2}),
    ("the mean of the distances instead of the distance of the mean place",
     {"task-5": changed(NOISY, "np.sqrt((p[-1000:].mean(axis=0) ** 2).mean())",
                        "np.sqrt((p[-1000:] ** 2).mean())")},
     {"task-5": 1}),
    ("the mean over the runs, and then over the places",
     {"task-5": changed(NOISY, "p[-1000:].mean(axis=0)", "p[-1000:].mean(axis=1)")
      + "needed = 0.04"},
     {"task-5": 1}),
    ("the distance is thought to fall in proportion to the step size",
     {"task-5": changed(NOISY, NEEDED, "etas[0] * averaged[0] / last[0] / 2")},
     {"task-5": 2}),
    ("the noise floor by its formula, not the runs",
     {"task-5": NOISY + "last = noise * np.sqrt(etas / (curvature * (2 - etas * curvature)))"},
     {"task-5": 2}),
]

ALSO_RIGHT = [
    ("the gradient by Cramer's rule, and the way down by turning round",
     {"task-1": """
a, b = np.radians(first), np.radians(second)
det = np.cos(a) * np.sin(b) - np.sin(a) * np.cos(b)
gradient = [(slope_first * np.sin(b) - slope_second * np.sin(a)) / det,
            (slope_second * np.cos(a) - slope_first * np.cos(b)) / det]
third = np.cos(np.radians(other)) * gradient[0] + np.sin(np.radians(other)) * gradient[1]
way_down = (np.degrees(np.arctan2(gradient[1], gradient[0])) + 180) % 360
"""}),
    ("a direction for each path", {"task-1": PATHS}),
    ("mu by halving an interval, the lowest point by going downhill",
     {"task-2": """
low_mu, high_mu = 0.0, 1000.0
for _ in range(100):
    mu = (low_mu + high_mu) / 2
    eig = np.linalg.eigvalsh(A + mu * np.eye(2))
    if eig[1] / eig[0] > goal:
        low_mu = mu
    else:
        high_mu = mu
limit = 2 / eig[1]
lowest = descend(lambda w: A @ (w - centre) + mu * w, [0, 0], 1 / eig[1], 2000)[-1]
"""}),
    ("a table filled row by row, and a loop that counts",
     {"task-2": PULL, "task-3-a": ADAPTIVE, "task-3-b": COUNTS}),
    ("plain lists of rows",
     {"task-3-a": """
def adaptive(M, begin, eta, steps):
    n = len(begin)
    grad = lambda w: [sum(M[i][j] * w[j] for j in range(n)) for i in range(n)]
    path = [[float(x) for x in begin]]
    for _ in range(steps):
        g = grad(path[-1])
        path.append([x - eta * s for x, s in zip(path[-1], g)])
        d = [a - b for a, b in zip(path[-1], path[-2])]
        q = grad(d)
        dq = sum(a * b for a, b in zip(d, q))
        if dq:
            eta = sum(a * a for a in d) / dq
    return path
"""}),
    ("the gradient with loops over viewers and films, the sets as lists",
     {"task-4": """
faulty = ["c", "V"]
error = round(check_function(lambda x: film_loss(x, ratings, known),
                             lambda x: hasty_gradient(x, ratings, known), theta)["V"], 2)


def film_gradient(theta, ratings, known):
    grad = {"U": theta["U"] / 50, "V": theta["V"] / 50,
            "b": np.zeros(len(theta["b"])), "c": np.zeros(len(theta["c"]))}
    for i, j in zip(*np.nonzero(known)):
        p = 3 + theta["U"][i] @ theta["V"][j] + theta["b"][i] + theta["c"][j]
        e = (p - ratings[i, j]) / known.sum()
        grad["U"][i] += e * theta["V"][j]
        grad["V"][j] += e * theta["U"][i]
        grad["b"][i] += e
        grad["c"][j] += e
    return grad

never = ["U", "V"]
"""}),
    ("the lines of the hasty gradient, mended", {"task-4": FILMS}),
    ("lists of distances, the step size from the last of the row, with the root's law",
     {"task-5": changed(NOISY, NEEDED, "etas[3] * (averaged[0] / last[3]) ** 2")}),
    ("the formula for small step sizes", {"task-5": changed(NOISY, NEEDED,
                                           "2 * curvature * averaged[0]**2 / noise**2")}),
    ("the step size from a fine grid of noise floors", {"task-5": NOISY + """
tried = np.geomspace(0.0005, 0.05, 60)
reached = noise * np.sqrt(tried / (curvature * (2 - tried * curvature)))
needed = tried[np.argmin(abs(reached - averaged[0]))]
"""}),
]
