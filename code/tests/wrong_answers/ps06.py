"""Answers that a class in earnest gives to problem set 6, and what they earn."""

LOAN = """
r, n = percent / 100 / 12, years * 12
q = (1 + r)**n
payment = loan * r * q / (q - 1)
direct = loan * q / (q - 1)
by_q = loan * r * ((q - 1) - q) / (q - 1)**2 * n * (1 + r)**(n - 1)
extra = (direct + by_q) * 0.001 / 12
"""

FILTER = """
def filter_back(delta, w, x):
    K, m = len(w), len(delta)
    by_w = np.array([delta @ x[k : k + m] for k in range(K)])
    by_x = np.zeros(len(x))
    for i in range(m):
        for k in range(K):
            by_x[i + k] += delta[i] * w[k]
    return by_w, by_x
"""

ROUNDED = """
third_derivative = swing * (np.pi / 12)**3
predicted = (3 * (unit / 2) / third_derivative)**(1 / 3)
truth = swing * np.pi / 12 * np.cos(np.pi * times / 12)
errors, zeros = [], None
for h in steps_tried:
    D = (reading(times + h) - reading(times - h)) / (2 * h)
    if zeros is None:
        zeros = (D == 0).mean()
    errors.append(np.median(abs(D - truth)))
measured = steps_tried[np.argmin(errors)]
"""

BALL = """
result = check_function(lambda x: miss(x, 1), lambda x: hasty_back(x, 1), throw)
agrees = {"drag"}
error_v = result["v"]
faulty_line = 4


def ball_back(at, steps=30):
    p, us = fly(at, steps)
    c = at["drag"][0]
    dp, dv, dwind, ddrag = p - target, np.zeros(2), np.zeros(2), 0.0
    for u in reversed(us):
        speed = np.linalg.norm(u)
        dv = dv + tau * dp
        da = tau * dv
        ddrag = ddrag - speed * (u @ da)
        du = -c * speed * da
        if speed > 0:
            du = du - c * (u @ da) * u / speed
        dv = dv + du
        dwind = dwind - du
    return {"v": dv, "wind": dwind, "drag": np.array([ddrag])}
"""

AIM = """
aim = np.array([10.0, 10.0])
for turn in range(500):
    aim = aim - 0.3 * ball_back({"v": aim, "wind": throw["wind"], "drag": throw["drag"]})["v"]


def end_of(t):
    return fly({**throw, "v": t[0] * np.array([np.cos(t[1]), np.sin(t[1])])})[0]

at_aim = np.array([np.hypot(*aim), np.arctan2(aim[1], aim[0])])
J = np.array([numerical_gradient(lambda t: end_of(t)[i], at_aim) for i in range(2)])
"""

COMET = """
E = mean_angle
for turn in range(60):
    E = E - (E - ecc * np.sin(E) - mean_angle) / (1 - ecc * np.cos(E))
by_M = 1 / (1 - ecc * np.cos(E))
by_e = np.sin(E) * by_M
distance_by_e = -np.cos(E) + ecc * np.sin(E) * by_e
"""


def changed(source, old, new):
    assert source.count(old) == 1, f"expected once: {old}"
    return source.replace(old, new)


WRONG = [
    # (what was misunderstood, {answer cell: its whole source}, {task: points it earns})
    ("the interest of a year is taken for that of a month",
     {"task-1": changed(LOAN, "percent / 100 / 12", "percent / 100")},
     {"task-1": 0}),
    ("the slope of q by r is forgotten",
     {"task-1": changed(LOAN, " * n * (1 + r)**(n - 1)", "")},
     {"task-1": 0}),
    ("the sign of the road by way of q is lost",
     {"task-1": changed(LOAN, "((q - 1) - q)", "(q - (q - 1))")},
     {"task-1": 0}),
    ("the two roads change places",
     {"task-1": LOAN + "direct, by_q = by_q, direct\n"},
     {"task-1": 2}),
    ("the direct road lets the q above the line follow, and only that below counts as by way of q",
     {"task-1": changed(LOAN, "loan * q / (q - 1)\n",
                        "loan * q / (q - 1) + loan * r / (q - 1) * n * (1 + r)**(n - 1)\n")
      .replace("((q - 1) - q)", "-q")},
     {"task-1": 2}),
    ("a tenth of a percentage point is taken for 0.1",
     {"task-1": changed(LOAN, "* 0.001 / 12", "* 0.1 / 12")},
     {"task-1": 2}),
    ("the rise by a year's interest is not divided among the months",
     {"task-1": changed(LOAN, "* 0.001 / 12", "* 0.001")},
     {"task-1": 2}),
    ("the last path overwrites the others: = instead of +=",
     {"task-2": changed(FILTER, "by_x[i + k] += delta[i] * w[k]", "by_x[i + k] = delta[i] * w[k]")},
     {"task-2": 1}),
    ("the filter isn't turned round on the way back",
     {"task-2": changed(FILTER, "delta[i] * w[k]", "delta[i] * w[K - 1 - k]")},
     {"task-2": 1}),
    ("the mean over the places instead of the sum",
     {"task-2": changed(FILTER, "delta @ x[k : k + m]", "(delta * x[k : k + m]).mean()")},
     {"task-2": 1}),
    ("the filter is taken to have three weights, as in the example",
     {"task-2": """
def filter_back(delta, w, x):
    n = len(x)
    by_w = np.array([delta @ x[0 : n - 2], delta @ x[1 : n - 1], delta @ x[2:n]])
    by_x = np.zeros(n)
    by_x[0 : n - 2] += w[0] * delta
    by_x[1 : n - 1] += w[1] * delta
    by_x[2:n] += w[2] * delta
    return by_w, by_x
"""},
     {"task-2": 2}),
    ("the sums are kept in an array of the arguments' kind, which may hold whole numbers only",
     {"task-2": """
def filter_back(delta, w, x):
    by_w, by_x = np.zeros_like(w), np.zeros_like(x)
    for i in range(len(delta)):
        for k in range(len(w)):
            by_w[k] += delta[i] * x[i + k]
            by_x[i + k] += delta[i] * w[k]
    return by_w, by_x
"""},
     {"task-2": 2}),
    ("the rounding of float64 instead of the thermometer's",
     {"task-3": changed(ROUNDED, "3 * (unit / 2)", "3 * 1.1e-16")},
     {"task-3": 2}),
    ("a whole unit for each reading",
     {"task-3": changed(ROUNDED, "3 * (unit / 2)", "3 * unit")},
     {"task-3": 2}),
    ("the inner derivative is forgotten in M3",
     {"task-3": changed(ROUNDED, "swing * (np.pi / 12)**3", "swing")},
     {"task-3": 2}),
    ("the inner derivative is forgotten in the true slope",
     {"task-3": changed(ROUNDED, "swing * np.pi / 12 * np.cos", "swing * np.cos")},
     {"task-3": 1}),
    ("the forward difference",
     {"task-3": changed(ROUNDED, "(reading(times + h) - reading(times - h)) / (2 * h)",
                        "(reading(times + h) - reading(times)) / h")},
     {"task-3": 1}),
    ("the share of zeros among the quotients of all steps",
     {"task-3": ROUNDED + """
zeros = np.mean([reading(times + h) == reading(times - h) for h in steps_tried])
"""},
     {"task-3": 2}),
    ("with 30 steps nothing agrees, and the last line looks suspicious",
     {"task-4": changed(BALL, 'agrees = {"drag"}', "agrees = set()")
      .replace("faulty_line = 4", "faulty_line = 6")},
     {"task-4": 3}),
    ("the check of 30 steps instead of one",
     {"task-4": changed(BALL, "miss(x, 1), lambda x: hasty_back(x, 1)", "miss(x), hasty_back")},
     {"task-4": 3}),
    ("the relative error of the wind",
     {"task-4": changed(BALL, 'result["v"]', 'result["wind"]')},
     {"task-4": 3}),
    ("line 3 is suspected, where the speed stands alone",
     {"task-4": changed(BALL, "faulty_line = 4", "faulty_line = 3")},
     {"task-4": 3}),
    ("twice the speed, as in one dimension",
     {"task-4": changed(BALL, "du = -c * speed * da\n", "du = -2 * c * speed * da\n")
      .replace("        if speed > 0:\n            du = du - c * (u @ da) * u / speed\n", "")},
     {"task-4": 1}),
    ("the speed is divided by where it is 0",
     {"task-4": changed(BALL, "        if speed > 0:\n            du = du",
                        "        du = du")},
     {"task-4": 3}),
    ("the ball always flies 30 steps",
     {"task-4": changed(BALL, "fly(at, steps)", "fly(at, 30)")},
     {"task-4": 3}),
    ("the gradient of the hasty sweep is followed for too few steps",
     {"task-5": changed(AIM, "range(500)", "range(2)")},
     {"task-5": 2}),
    ("inputs are rows",
     {"task-5": AIM + "J = J.T\n"},
     {"task-5": 1}),
    ("the Jacobian by the components of the velocity",
     {"task-5": changed(AIM, "t[0] * np.array([np.cos(t[1]), np.sin(t[1])])", "t")
      .replace("np.array([np.hypot(*aim), np.arctan2(aim[1], aim[0])])", "aim")},
     {"task-5": 1}),
    ("the two Jacobians are multiplied in the order of the maps",
     {"task-5": AIM + """
velocity_by_thrower = np.array([[np.cos(at_aim[1]), -at_aim[0] * np.sin(at_aim[1])],
                                [np.sin(at_aim[1]), at_aim[0] * np.cos(at_aim[1])]])
J = velocity_by_thrower @ J @ np.linalg.inv(velocity_by_thrower)
"""},
     {"task-5": 1}),
    ("metres per degree",
     {"task-5": AIM + "J[:, 1] *= np.pi / 180\n"},
     {"task-5": 1}),
    ("the sine of an angle in degrees",
     {"task-6": COMET.replace("np.sin(E)", "np.sin(np.radians(E))")},
     {"task-6": 0}),
    ("three rounds of trying are thought to be enough",
     {"task-6": """
E = mean_angle
for turn in range(3):
    E = mean_angle + ecc * np.sin(E)
by_M, by_e = 1 / (1 - ecc * np.cos(E)), np.sin(E) / (1 - ecc * np.cos(E))
distance_by_e = -np.cos(E) + ecc * np.sin(E) * by_e
"""},
     {"task-6": 0}),
    ("E is held where it should follow: only the e that stands there is differentiated",
     {"task-6": changed(COMET, "by_e = np.sin(E) * by_M", "by_e = np.sin(E)")},
     {"task-6": 1}),
    ("cancelling gives minus F_e over F_E without the minus",
     {"task-6": changed(COMET, "by_e = np.sin(E) * by_M", "by_e = -np.sin(E) * by_M")},
     {"task-6": 1}),
    ("the derivative of M by E, not turned over",
     {"task-6": changed(COMET, "by_M = 1 / (1 - ecc * np.cos(E))", "by_M = 1 - ecc * np.cos(E)")
      .replace("np.sin(E) * by_M", "np.sin(E) / by_M")},
     {"task-6": 2}),
    ("the distance's direct road alone",
     {"task-6": changed(COMET, "-np.cos(E) + ecc * np.sin(E) * by_e", "-np.cos(E)")},
     {"task-6": 2}),
]

ALSO_RIGHT = [
    ("the quotient rule by hand, the payment's rise as it really is",
     {"task-1": LOAN + """
higher = r + 0.001 / 12
extra = loan * higher * (1 + higher)**n / ((1 + higher)**n - 1) - payment
"""}),
    ("a loop over weights and places", {"task-2": FILTER}),
    ("plain lists",
     {"task-2": """
def filter_back(delta, w, x):
    by_w = [sum(d * x[i + k] for i, d in enumerate(delta)) for k in range(len(w))]
    by_x = [sum(delta[i] * w[j - i] for i in range(len(delta)) if 0 <= j - i < len(w))
            for j in range(len(x))]
    return by_w, by_x
"""}),
    ("NumPy's correlation and convolution",
     {"task-2": """
def filter_back(delta, w, x):
    return np.correlate(x, delta, mode="valid"), np.convolve(delta, w)
"""}),
    ("a list of errors, filled in a loop", {"task-3": ROUNDED}),
    ("the sum of the bounds on a fine grid, and its least value",
     {"task-3": ROUNDED + """
grid = np.geomspace(0.1, 10, 200_001)
predicted = grid[np.argmin(third_derivative / 6 * grid**2 + unit / (2 * grid))]
measured = float(measured)
"""}),
    ("the hasty lines with the missing path, the set as a list",
     {"task-4": changed(BALL, 'agrees = {"drag"}', 'agrees = ["drag"]')}),
    ("the derivative of |u| u as a matrix",
     {"task-4": changed(BALL, "        du = -c * speed * da\n        if speed > 0:\n"
                              "            du = du - c * (u @ da) * u / speed\n",
                        "        u_by_size = np.outer(u, u) / speed if speed else 0\n"
                        "        du = -c * (speed * np.eye(2) + u_by_size) @ da\n")}),
    ("differences of the end place, from another start", {"task-5": AIM}),
    ("Newton's steps for the comet", {"task-6": COMET}),
    ("an interval, halved, and the derivatives by differences",
     {"task-6": """
def solve(e, M):
    low, high = M - 1, M + 1
    for _ in range(60):
        E = (low + high) / 2
        if E - e * np.sin(E) < M:
            low = E
        else:
            high = E
    return E

E = solve(ecc, mean_angle)
by_M = (solve(ecc, mean_angle + 1e-5) - solve(ecc, mean_angle - 1e-5)) / 2e-5
by_e = (solve(ecc + 1e-5, mean_angle) - solve(ecc - 1e-5, mean_angle)) / 2e-5
distance_by_e = -np.cos(E) + ecc * np.sin(E) * by_e
"""}),
]
