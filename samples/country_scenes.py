"""Scenes of the country: a mill, allotments, hills."""

from __future__ import annotations

import math
from collections.abc import Callable

from canvas import Canvas, mix

CORAL, AMBER, CREAM = "#d9734e", "#f2b04c", "#f8ead0"
PINE = "#24473f"


def river_mill(c: Canvas) -> None:
    c.sky("#8ec0c4", "#cfe0cf", "#f8e6bd", bottom=460)
    c.glow(1180, 250, 360, "#fff3c9", 0.9)
    c.oval(1180, 250, 58, 58, "#fff6da")
    c.ridge(400, 40, "#9fbcae", "#8cae9f", wave=1000)
    c.ridge(460, 36, "#7ea18d", "#6f967e", wave=640)
    hills = c.ridge(530, 30, "#5c8a6a", "#4d7a58", wave=800)
    for x, y in hills[4:-4:7]:
        if c.chance.random() < 0.6:
            c.tree(x, y + 8, c.chance.uniform(26, 54), "#3f6b4f")
    c.fade_rect(0, 600, 1600, 300, "#5d8f5a", "#3f7048")
    bank = [
        (700, 600),
        (760, 640),
        (700, 690),
        (560, 750),
        (380, 900),
        (1390, 900),
        (1270, 800),
        (1180, 770),
        (1150, 706),
        (1010, 690),
        (930, 660),
        (860, 600),
    ]
    c.fade_poly([(x + (-26 if x < 800 else 26), y) for x, y in bank], "#b39a72", "#8a7150")
    c.fade_poly(bank, "#cfe3d8", "#6fa9ad", "#2f6a78")
    for _ in range(90):
        y = c.chance.uniform(640, 895)
        middle = 800 + (y - 640) * 0.24
        x = middle + c.chance.uniform(-1, 1) * (40 + (y - 640) * 1.35)
        c.rect(x, y, c.chance.uniform(20, 90), 3, "#eaf5ea", alpha=110, radius=1.5)
    c.poly([(930, 652), (1000, 652), (1070, 712), (890, 712)], "#f4f9f2", 150)
    c.fade_rect(1010, 420, 290, 290, "#d8c3a0", "#b59a76")
    for n in range(7):
        for m in range(6):
            c.rect(1016 + m * 48 + (n % 2) * 18, 428 + n * 40, 34, 18, "#c3a985", radius=4)
    c.poly([(984, 424), (1155, 318), (1326, 424)], "#7a3f2b")
    c.poly([(984, 424), (1155, 318), (1155, 424)], "#8d4c33")
    c.rect(1236, 320, 34, 74, "#9c7a5c")
    for x, y in ((1070, 470), (1190, 470), (1190, 580)):
        c.rect(x, y, 44, 62, "#f4d38a", radius=4)
        c.rect(x + 20, y, 4, 62, "#6a4a35")
        c.rect(x, y + 28, 44, 4, "#6a4a35")
    c.rect(1070, 590, 62, 120, "#553526", radius=6)
    for n in range(12):
        a = math.tau * n / 12 + 0.12
        x, y = 985 + math.cos(a) * 108, 660 + math.sin(a) * 108
        c.line([(985, 660), (x, y)], "#4b3021", 8)
        c.line(
            [
                (x - math.sin(a) * 26, y + math.cos(a) * 26),
                (x + math.sin(a) * 26, y - math.cos(a) * 26),
            ],
            "#3a2419",
            12,
        )
    c.ring(985, 660, 100, "#4b3021", 10)
    c.oval(985, 660, 16, 16, "#2b1a12")
    for _ in range(40):
        c.oval(
            c.chance.gauss(985, 70),
            c.chance.gauss(742, 9),
            c.chance.uniform(5, 14),
            5,
            "#f7fbf4",
            170,
        )
    for x in (60, 150, 300, 1420, 1530):
        c.tree(x, 700 + (x % 90), 210, PINE)
    for _ in range(70):
        x = c.chance.choice((c.chance.uniform(120, 420), c.chance.uniform(1320, 1580)))
        h = c.chance.uniform(40, 120)
        c.line([(x, 905), (x + c.chance.uniform(-12, 12), 900 - h)], "#2f5a3c", 4)
        c.oval(x, 900 - h, 5, 16, "#6b4228")


def allotments(c: Canvas) -> None:
    c.sky("#f6c86e", "#f9dc9c", "#fbeecb", bottom=470)
    c.glow(1150, 300, 480, "#fffbe6", 0.95)
    c.oval(1150, 300, 120, 120, "#fff7d6")
    c.ridge(430, 34, "#c9b777", "#b7ab6d", wave=900)
    for x in (210, 290, 372):
        c.fade_poly([(x, 440), (x + 6, 270), (x + 26, 270), (x + 32, 440)], "#a8694a", "#8f563d")
    edge = c.ridge(462, 14, "#8ca15e", "#7b9553", wave=500)
    for x, y in edge[::9]:
        c.tree(x, y + 10, c.chance.uniform(40, 76), "#6b8a4c")
    c.fade_rect(0, 480, 1600, 420, "#97703f", "#5f4128")
    greens = ("#3f7a45", "#6fa04e", "#2f6b57", "#8fb455", "#4f8f6a", "#a3b04a")
    for n in range(13):
        left, right = (n - 6.5) * 300 + 800, (n - 5.5) * 300 + 800
        near = (left + right) / 2
        far = 800 + (near - 800) * 0.17
        if n % 4 == 3:
            c.poly(
                [(far - 12, 486), (far + 12, 486), (near + 70, 905), (near - 70, 905)], "#c7a36b"
            )
            continue
        colour = greens[n % len(greens)]
        for m in range(22):
            t = (m / 21) ** 1.9
            x, y, s = far + (near - far) * t, 492 + 420 * t, 6 + 40 * t
            for dx in (-0.9, 0, 0.9) if m > 3 else (0,):
                jitter = c.chance.uniform(-0.2, 0.2) * s
                c.oval(
                    x + dx * s * 1.5 + jitter, y, s * 0.8, s * 0.52, mix(colour, "#1d3b25", 0.35)
                )
                c.oval(x + dx * s * 1.5 + jitter, y - s * 0.2, s * 0.62, s * 0.42, colour)
                c.oval(
                    x + dx * s * 1.5 + jitter - s * 0.15,
                    y - s * 0.32,
                    s * 0.26,
                    s * 0.18,
                    mix(colour, CREAM, 0.35),
                )
                if n % 5 == 1 and m > 6:
                    c.oval(x + dx * s * 1.5 + jitter, y - s * 0.2, s * 0.16, s * 0.16, CORAL)
    c.fade_rect(300, 390, 220, 190, "#4f8577", "#376559")
    for x in range(300, 520, 22):
        c.rect(x, 390, 3, 190, "#2f574d")
    c.poly([(276, 396), (410, 322), (544, 396)], "#6b3d2c")
    c.rect(330, 450, 62, 130, "#2b4a42", radius=3)
    c.rect(428, 440, 62, 54, "#f9e7b3")
    c.rect(457, 440, 4, 54, "#2b4a42")
    c.oval(560, 560, 30, 36, "#33506b")
    c.rect(1245, 470, 12, 250, "#5a3b22")
    c.rect(1160, 530, 184, 12, "#5a3b22")
    c.poly([(1190, 526), (1314, 526), (1330, 660), (1176, 660)], "#a83f2e")
    c.rect(1150, 524, 52, 30, "#a83f2e", radius=8)
    c.rect(1302, 524, 52, 30, "#a83f2e", radius=8)
    c.oval(1251, 490, 32, 34, "#f0d49a")
    c.poly(
        [(1196, 470), (1306, 470), (1286, 462), (1278, 420), (1226, 420), (1218, 462)], "#4a3322"
    )
    c.oval(1352, 512, 15, 10, "#2b2530")
    c.poly([(1364, 512), (1380, 508), (1364, 518)], AMBER)
    c.person(640, 610, 150, "#3b4a6b")
    c.line([(668, 520), (705, 640)], "#5a3b22", 7)
    c.poly([(694, 632), (716, 626), (726, 672), (704, 678)], "#8b8f98")


def hills(c: Canvas) -> None:
    c.sky("#5c8fb0", "#a9c9cf", "#f3dcc0", "#f6c9a0", bottom=620)
    c.glow(520, 470, 560, "#fff0d0", 0.9)
    c.oval(520, 470, 46, 46, "#fff8e6")
    c.cloud(1100, 130, 460, "#ffffff", 60)
    c.cloud(250, 220, 360, "#ffffff", 55)
    c.cloud(1430, 290, 300, "#ffffff", 50)
    for y, top, bottom, wave in (
        (500, "#a7b9c6", "#c6c6c4", 760),
        (555, "#7f9db2", "#a3b3b6", 900),
        (615, "#5c839c", "#7f9ca6", 620),
    ):
        c.ridge(y, 46, top, bottom, wave=wave)
    c.fade_rect(0, 690, 1600, 60, "#b9ccd0", "#8fb0b8")
    near = c.ridge(700, 60, "#3d6a7a", "#2c5263", wave=1300, roughness=0.35)
    x = 1120.0
    y = min(near, key=lambda p: abs(p[0] - x))[1]
    c.poly([(x - 9, y + 20), (x - 4, 280), (x + 4, 280), (x + 9, y + 20)], "#f4f1ea")
    for turn in (0.35, 0.35 + math.tau / 3, 0.35 + 2 * math.tau / 3):
        dx, dy = math.sin(turn), -math.cos(turn)
        tip = (x + dx * 210, 280 + dy * 210)
        c.poly(
            [
                (x - dy * 7, 280 + dx * 7),
                (x + dx * 60 - dy * 15, 280 + dy * 60 + dx * 15),
                tip,
                (x + dy * 4, 280 - dx * 4),
            ],
            "#fbf8f1",
        )
    c.oval(x, 280, 13, 13, "#e3ded2")
    front = c.ridge(800, 44, "#27505a", "#18343f", wave=900)
    for px, py in front[::5]:
        if px < 620 and c.chance.random() < 0.75:
            h = c.chance.uniform(46, 110)
            for n in range(3):
                w = h * (0.15 + 0.07 * n)
                top = py + 12 - h + n * h * 0.24
                c.poly([(px, top), (px + w, top + h * 0.42), (px - w, top + h * 0.42)], "#173540")
    for px, h in ((740, 1.0), (850, 0.8), (1390, 0.9)):
        py = min(front, key=lambda p: abs(p[0] - px))[1] + 6
        c.rect(px, py - 34 * h, 66 * h, 38 * h, "#f1e6d2")
        c.poly(
            [(px - 5, py - 33 * h), (px + 33 * h, py - 62 * h), (px + 71 * h, py - 33 * h)],
            "#96604e",
        )
        c.rect(px + 12 * h, py - 24 * h, 12 * h, 14 * h, AMBER)
        c.rect(px + 42 * h, py - 24 * h, 12 * h, 14 * h, AMBER)
        c.glow(px + 33 * h, py - 18 * h, 70, "#ffe0a0", 0.4)
    for _ in range(26):
        px = c.chance.uniform(880, 1370)
        py = min(front, key=lambda p: abs(p[0] - px))[1] + c.chance.uniform(26, 90)
        c.oval(px, py, 11, 7, "#efe6d6")
        c.oval(px + 10, py - 2, 4, 4, "#2a2c33")


def jam_jars(c: Canvas) -> None:
    c.sky("#d9c7a0", "#c9ab80", "#9c7656")
    c.fade_rect(90, 50, 1420, 560, "#9fc6cf", "#dbe6cf", "#f6e2b4")
    c.glow(1130, 250, 420, "#fffbe6", 0.9)
    c.oval(1130, 250, 60, 60, "#fff8e0")
    for y, tone in ((430, "#a5bfa6"), (480, "#86a98e")):
        outline = c.ridge(y, 26, tone, wave=700)
        for x, top in outline[::11]:
            c.tree(x, top + 8, c.chance.uniform(24, 52), mix(tone, PINE, 0.45))
    course = [(790 + 40 * math.sin(s / 4), 500 + 7 * s, 5 + s * s / 5) for s in range(20)]
    left, right = [(x - w, y) for x, y, w in course], [(x + w, y) for x, y, w in course]
    c.fade_poly([*left, *reversed(right)], "#e6f1ea", "#7fb0b8")
    c.rect(0, 0, 1600, 58, "#f4ead2")
    c.rect(0, 0, 98, 660, "#f4ead2")
    c.rect(1502, 0, 98, 660, "#f4ead2")
    for x in (560, 1030):
        c.rect(x, 50, 20, 570, "#f4ead2")
        c.rect(x + 14, 50, 6, 570, "#d9c7a0")
    c.rect(90, 300, 1420, 16, "#f4ead2")
    c.fade_rect(0, 610, 1600, 290, "#f8efd8", "#c79a66", "#8a5f3f")
    c.rect(0, 610, 1600, 16, "#fffaea")
    waters = ("#cfe3d4", "#b9d2b0", "#a8b878", "#b89a58", "#8f7443", "#6f5636")
    for n, water in enumerate(waters):
        _jar(c, 130 + n * 236, water)
    c.poly([(1290, 850), (1540, 822), (1566, 886), (1310, 900)], CREAM)
    for n in range(4):
        c.line([(1316, 862 + n * 10), (1520, 840 + n * 11)], "#8a8078", 3, 150)
    c.line([(1250, 884), (1420, 836)], CORAL, 9)
    c.poly([(1250, 884), (1236, 892), (1254, 876)], "#2b2530")


def _jar(c: Canvas, x: float, water: str) -> None:
    c.oval(x + 90, 838, 118, 15, "#4d3322", 120)
    c.rect(x, 470, 180, 366, "#eef5f0", alpha=120, radius=30)
    c.rect(x + 8, 560, 164, 268, water, alpha=215, radius=24)
    c.rect(x + 8, 560, 164, 40, water, alpha=215)
    c.oval(x + 90, 560, 82, 11, mix(water, "#ffffff", 0.45))
    for _ in range(34):
        depth = c.chance.random() ** 0.5
        dot = c.chance.uniform(1.5, 5)
        tone = mix(water, "#3a2b1c", 0.5)
        c.oval(x + c.chance.uniform(24, 156), 580 + 236 * depth, dot, dot, tone, 150)
    c.rect(x + 20, 452, 140, 26, "#e4ece6", alpha=150, radius=8)
    c.rect(x + 12, 424, 156, 40, "#8f3b14", radius=8)
    c.rect(x + 12, 434, 156, 5, "#b86b3c")
    c.rect(x + 12, 450, 156, 5, "#b86b3c")
    c.rect(x + 40, 646, 104, 84, "#fbf4e0", radius=4)
    c.line([(x + 54, 668), (x + 128, 668)], "#3a3340", 4)
    for n in range(3):
        y = 688 + n * 14
        c.line([(x + 54, y), (x + c.chance.uniform(90, 130), y)], "#a59a8c", 3)
    c.rect(x + 18, 500, 12, 300, "#ffffff", alpha=105, radius=6)
    c.rect(x + 148, 520, 6, 200, "#ffffff", alpha=70, radius=3)


COUNTRY_SCENES: dict[str, Callable[[Canvas], None]] = {
    "river-mill": river_mill,
    "allotments": allotments,
    "hills": hills,
    "jam-jars": jam_jars,
}
