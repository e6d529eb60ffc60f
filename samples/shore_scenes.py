"""Scenes by the water: a harbour, a gorge, a headland."""

from __future__ import annotations

import math
from collections.abc import Callable

from canvas import Canvas

NIGHT, NAVY = "#111a2e", "#1b2a49"
AMBER, CREAM = "#f2b04c", "#f8ead0"


def harbour_lantern(c: Canvas) -> None:
    c.sky(NIGHT, "#26355c", "#6d4a68", "#e08a5b", bottom=520)
    c.stars(150, 300)
    c.ridge(505, 26, "#3a3557", "#2b2a48", wave=900)
    c.fade_rect(0, 520, 1600, 380, "#c97a5c", "#4c4468", NAVY, NIGHT)
    for x, h in ((60, 70), (130, 95), (205, 62), (262, 84), (330, 74), (402, 104), (480, 66)):
        c.rect(x, 520 - h, 66, h, "#2a2743")
        c.poly([(x - 4, 520 - h), (x + 33, 520 - h - 34), (x + 70, 520 - h)], "#221f38")
        for wx in (x + 12, x + 38):
            if c.chance.random() < 0.7:
                c.rect(wx, 520 - h + 16, 13, 17, AMBER)
                c.shimmer(wx + 6, 526, 640, 12, AMBER, 8)
    for x, s in ((620, 1.0), (800, 0.75)):
        c.poly([(x, 548), (x + 120 * s, 548), (x + 96 * s, 574), (x + 18 * s, 574)], "#1c1b30")
        c.line([(x + 50 * s, 548), (x + 50 * s, 548 - 130 * s)], "#1c1b30", 4)
        c.poly([(x + 56 * s, 540), (x + 56 * s, 548 - 122 * s), (x + 112 * s, 540)], "#efd9b4", 225)
        c.poly([(x + 44 * s, 540), (x + 44 * s, 548 - 100 * s), (x + 6 * s, 540)], "#d8a98a", 225)
    c.glow(1180, 420, 520, AMBER, 0.55)
    c.shimmer(1180, 690, 895, 120, "#ffd98a", 230)
    c.shimmer(1180, 560, 640, 50, "#ffd98a", 40)
    for x in range(1030, 1600, 118):
        c.rect(x, 650, 24, 190, "#151524")
        c.shimmer(x + 12, 842, 895, 16, "#10101c", 14)
    c.rect(990, 640, 620, 30, "#39354f", radius=4)
    c.rect(990, 658, 620, 16, "#1d1c2d", radius=4)
    for x in range(1010, 1600, 46):
        c.rect(x, 640, 3, 18, "#2a2740")
    c.oval(1180, 644, 130, 7, "#f2c878", 90)
    c.rect(1171, 470, 18, 176, "#14131f")
    c.rect(1146, 634, 68, 14, "#14131f", radius=4)
    c.poly([(1140, 350), (1220, 350), (1206, 470), (1154, 470)], "#ffe7a8")
    c.glow(1180, 415, 110, "#fff6dc", 0.95)
    for x1, x2 in ((1140, 1154), (1180, 1180), (1220, 1206)):
        c.line([(x1, 350), (x2, 470)], "#14131f", 5)
    c.poly([(1128, 352), (1180, 306), (1232, 352)], "#14131f")
    c.ring(1180, 298, 14, "#14131f", 5)
    c.rect(1146, 466, 68, 12, "#14131f", radius=3)
    c.person(1330, 644, 150, "#7b2f2a")
    c.rect(1440, 604, 54, 38, "#4a3a2c", radius=3)
    c.rect(1466, 570, 44, 34, "#5a4632", radius=3)


def bridge(c: Canvas) -> None:
    c.sky("#f2c58c", "#f6dcb0", "#dfe4cf", bottom=620)
    c.glow(800, 330, 520, "#fff6dc", 0.95)
    c.oval(800, 330, 70, 70, "#fff9e8")
    c.ridge(560, 30, "#c9c7a4", "#b5bd9d", wave=800)
    c.ridge(610, 24, "#a3b494", "#8fa688", wave=500)
    c.fade_rect(0, 660, 1600, 240, "#e3d7ae", "#86aeb0", "#3d7484")
    c.shimmer(800, 668, 895, 160, "#fffbe8", 260)
    left = [
        (-10, 250),
        (210, 262),
        (330, 300),
        (372, 420),
        (350, 520),
        (420, 610),
        (452, 700),
        (380, 740),
        (-10, 790),
    ]
    right = [
        (1610, 240),
        (1400, 258),
        (1270, 300),
        (1228, 400),
        (1254, 520),
        (1180, 620),
        (1150, 700),
        (1230, 744),
        (1610, 800),
    ]
    for cliff in (left, right):
        c.fade_poly(cliff, "#a5724f", "#6f4a3a")
        for _ in range(50):
            t = c.chance.random()
            y = 300 + 400 * t
            x = c.chance.uniform(-10, 330 + 90 * t)
            x = x if cliff is left else 1600 - x
            c.line(
                [(x, y), (x + c.chance.uniform(-24, 24), y + c.chance.uniform(16, 44))],
                "#8a5b43",
                5,
                170,
            )
        for _ in range(95):
            t = c.chance.random()
            x = c.chance.uniform(-10, 320 + 110 * t * t)
            y = 262 + 470 * t
            x = x if cliff is left else 1600 - x
            r = c.chance.uniform(14, 36)
            tone = c.chance.choice(("#4d7350", "#5f8455", "#3d6148", "#8a8f4c", "#c08a45"))
            c.oval(x, y, r, r * 0.8, tone)
    deck = 318
    for x in (330, 1270):
        c.poly([(x - 44, deck + 60), (x - 32, 96), (x + 32, 96), (x + 44, deck + 60)], "#7b5140")
        c.poly([(x + 8, 96), (x + 32, 96), (x + 44, deck + 60), (x + 14, deck + 60)], "#653f33")
        c.rect(x - 42, 84, 84, 20, "#8d6049", radius=3)
        c.rect(x - 17, 176, 34, 150, "#f0d9ad", radius=17)

    def hang(x: float) -> float:
        return 104 + 190 * (1 - ((x - 800) / 470) ** 2)

    for side in (-1, 1):
        c.line([(800 + side * 470, 104), (800 + side * 830, 300)], "#4d3229", 6)
    c.line([(x, hang(x)) for x in range(330, 1271, 8)], "#4d3229", 7)
    for x in range(352, 1260, 22):
        c.line([(x, hang(x)), (x, deck)], "#4d3229", 2)
    c.rect(-10, deck, 1620, 15, "#4d3229")
    c.rect(-10, deck - 16, 1620, 4, "#6d4a3b")
    for x in range(0, 1600, 22):
        c.rect(x, deck - 16, 2, 18, "#6d4a3b")
    c.person(700, deck + 1, 44, "#a83f2e")
    c.person(724, deck + 1, 40, "#1f4e5f")
    for x, y, s, hull, top in (
        (500, 742, 1.0, "#a83f2e", "#24473f"),
        (720, 790, 1.35, "#1f4e5f", "#c98a3c"),
        (1010, 732, 0.9, "#24473f", "#8f3b14"),
    ):
        c.oval(x + 120 * s, y + 42 * s, 150 * s, 9 * s, "#1f4450", 120)
        c.poly(
            [(x - 22 * s, y), (x + 262 * s, y), (x + 240 * s, y + 40 * s), (x, y + 40 * s)], hull
        )
        c.rect(x - 22 * s, y, 284 * s, 7 * s, CREAM)
        c.rect(x + 20 * s, y - 40 * s, 196 * s, 42 * s, top, radius=5 * s)
        for n in range(5):
            c.rect(x + (32 + 37 * n) * s, y - 30 * s, 22 * s, 17 * s, "#ffe1a0", radius=3)
        c.rect(x + 176 * s, y - 66 * s, 9 * s, 28 * s, "#2b2530")
        for n in range(5):
            c.oval(
                x + (182 + n * 13) * s,
                y - (78 + n * 15) * s,
                (8 + 4 * n) * s,
                (7 + 3 * n) * s,
                "#ffffff",
                110 - n * 18,
            )


def _tower_and_house(c: Canvas) -> None:
    c.rect(1170, 490, 190, 84, "#efe6d2")
    c.poly([(1156, 494), (1190, 446), (1340, 446), (1374, 494)], "#7a3f36")
    c.rect(1330, 424, 20, 50, "#efe6d2")
    for x in (1196, 1256):
        c.rect(x, 516, 26, 30, AMBER, radius=2)
        c.glow(x + 13, 530, 60, "#ffdc90", 0.5)
    c.rect(1312, 512, 28, 62, "#2b4a52", radius=3)
    tower = [(1038, 570), (1058, 276), (1122, 276), (1142, 570)]
    c.fade_poly(tower, "#f8f2e4", "#e0d8c6")
    for a, b in ((340, 400), (460, 520)):

        def edge(y: float) -> float:
            return 20 * (570 - y) / 294

        c.poly(
            [(1038 + edge(b), b), (1038 + edge(a), a), (1142 - edge(a), a), (1142 - edge(b), b)],
            "#b3352c",
        )
    c.poly([(1104, 276), (1122, 276), (1142, 570), (1112, 570)], "#1b2a49", 50)
    for y in (310, 430, 545):
        c.rect(1084, y, 14, 22, "#22384c", radius=6)
    c.rect(1042, 264, 96, 14, "#22303f", radius=3)
    for x in range(1044, 1138, 13):
        c.rect(x, 244, 3, 22, "#22303f")
    c.rect(1042, 243, 96, 4, "#22303f")
    c.rect(1066, 204, 48, 60, "#fff2c4")
    for x in (1066, 1089, 1111):
        c.rect(x, 204, 3, 60, "#22303f")
    c.poly([(1056, 206), (1090, 166), (1124, 206)], "#8f2f28")
    c.oval(1090, 164, 6, 6, "#8f2f28")
    c.glow(1090, 232, 230, "#fff3cc", 0.95)
    for x, y in ((420, 330), (470, 356), (720, 300), (380, 390)):
        c.line([(x - 18, y - 8), (x, y), (x + 18, y - 8)], "#dfe8e6", 3, 200)


def lighthouse(c: Canvas) -> None:
    c.sky("#0f1c33", "#1c3a5c", "#3f6c86", "#9fb3a8", bottom=620)
    c.stars(170, 420)
    c.oval(300, 170, 46, 46, "#f6edd2")
    c.oval(280, 160, 42, 42, "#16294a")
    lamp = (1090, 232)
    for end in ((-60, 40, 240), (1700, 90, 250)):
        for spread, alpha in ((1.0, 26), (0.62, 34), (0.3, 44)):
            middle = (end[1] + end[2]) / 2
            half = (end[2] - end[1]) / 2 * spread
            c.poly([lamp, (end[0], middle - half), (end[0], middle + half)], "#ffeeb8", alpha)
    c.fade_rect(0, 600, 1600, 300, "#4b7486", "#1d4560", "#0e2238")
    c.shimmer(300, 606, 800, 70, "#f6edd2", 90)
    c.fade_poly([(520, 600), (538, 594), (640, 590), (652, 600)], "#22384c", "#1a2d40")
    for n in range(9):
        y = 640 + n * n * 3.6
        for _ in range(8):
            x = c.chance.uniform(-80, 1600)
            w = c.chance.uniform(60, 190) * (0.6 + n * 0.09)
            points = [(x + w * t / 12, y - math.sin(math.pi * t / 12) * (4 + n)) for t in range(13)]
            c.line(points, "#a9cbd0", 2 + n * 0.25, 110)
    land = [
        (620, 905),
        (700, 800),
        (760, 770),
        (800, 690),
        (900, 640),
        (960, 585),
        (1090, 560),
        (1240, 566),
        (1350, 600),
        (1480, 596),
        (1610, 570),
        (1610, 905),
    ]
    c.fade_poly(land, "#3a5a52", "#22343c", "#141f2c")
    for _ in range(60):
        x = c.chance.uniform(700, 1600)
        y = c.chance.uniform(690, 890)
        if y > 905 - (x - 620) * 0.9:
            w = c.chance.uniform(20, 70)
            c.poly([(x, y), (x + w, y - 8), (x + w * 0.7, y + 22)], "#2b3f48", 200)
    for _ in range(46):
        x = c.chance.uniform(580, 830)
        y = 905 - (x - 600) * 0.62 + c.chance.gauss(0, 9)
        c.oval(x, y, c.chance.uniform(6, 22), 6, "#e6f0ea", 170)
    _tower_and_house(c)


SHORE_SCENES: dict[str, Callable[[Canvas], None]] = {
    "harbour-lantern": harbour_lantern,
    "bridge": bridge,
    "lighthouse": lighthouse,
}
