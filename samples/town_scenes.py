"""Scenes of streets: a bus, a tram, a tower block, a market."""

from __future__ import annotations

import math
from collections.abc import Callable

from canvas import Canvas, mix

AMBER, CREAM = "#f2b04c", "#f8ead0"
RUST = "#8f3b14"


def _bus(c: Canvas) -> None:
    bus = "#b3352c"
    c.oval(830, 794, 400, 20, "#14141f", 170)
    c.rect(460, 330, 740, 440, bus, radius=34)
    c.rect(460, 640, 740, 130, "#8d2722", radius=22)
    c.rect(460, 538, 740, 20, CREAM)
    for n in range(6):
        c.fade_rect(492 + n * 112, 376, 98, 118, "#ffe3a0", "#f7b95d")
        if n % 2 == 0:
            c.oval(542 + n * 112, 462, 19, 22, "#5b3035")
            c.rect(518 + n * 112, 480, 48, 15, "#5b3035", radius=7)
    for n in range(4):
        c.fade_rect(492 + n * 112, 578, 98, 96, "#ffe8b4", "#f3ae55")
    for x, coat in ((548, "#3b4a6b"), (652, "#5b3035"), (876, "#2e5d62")):
        c.oval(x, 634, 19, 22, mix(coat, "#2a1a20", 0.5))
        c.rect(x - 24, 652, 48, 22, coat, radius=9)
    c.rect(955, 574, 96, 190, "#59201d", radius=6)
    c.fade_rect(963, 582, 38, 176, "#ffe3a0", "#e9a04d")
    c.fade_rect(1006, 582, 38, 176, "#ffe3a0", "#e9a04d")
    c.fade_rect(1080, 578, 104, 110, "#fff0c4", "#f3b863")
    c.oval(1132, 640, 22, 26, "#4a2a2e")
    c.rect(1104, 662, 56, 28, "#2f3d5a", radius=10)
    c.rect(1050, 508, 130, 28, "#171622", radius=5)
    for n, on in enumerate("110110"):
        if on == "1":
            c.rect(1064 + n * 18, 515, 11, 14, AMBER)
    for x in (610, 1076):
        c.oval(x, 770, 52, 52, "#17161f")
        c.oval(x, 770, 24, 24, "#8b8794")
    c.glow(1205, 730, 90, "#fff2c8", 0.8)
    c.glow(830, 560, 560, "#ffc873", 0.18)
    c.poly([(1210, 726), (1600, 660), (1600, 860), (1210, 748)], "#ffe9b0", 34)


def bus_at_dusk(c: Canvas) -> None:
    c.sky("#233158", "#70518a", "#d97b6c", "#f5be7c", bottom=560)
    c.glow(420, 520, 520, "#ffd48a", 0.7)
    c.cloud(900, 150, 420, "#f3a184", 60)
    c.cloud(300, 230, 300, "#f3a184", 70)
    c.cloud(1330, 260, 360, "#f3a184", 50)
    c.ridge(520, 46, "#8a5a7c", "#6f4a72", wave=700)
    c.ridge(580, 34, "#5a3f63", "#43345a", wave=420)
    for x, h in ((180, 150), (236, 118), (1290, 168), (1340, 120)):
        c.fade_poly(
            [(x, 600), (x + 5, 600 - h), (x + 21, 600 - h), (x + 26, 600)], "#4a3a5c", "#3b3152"
        )
    c.rect(0, 590, 1600, 130, "#372f4d")
    for n in range(14):
        x = n * 118 - 20
        c.rect(x, 560 - (n % 3) * 8, 108, 150, mix("#3a2f4b", "#4b3550", (n % 4) / 4))
        c.poly(
            [(x - 4, 562 - (n % 3) * 8), (x + 54, 522 - (n % 3) * 8), (x + 112, 562 - (n % 3) * 8)],
            "#2c2640",
        )
        for w in (18, 64):
            lit = c.chance.random() < 0.45
            c.rect(x + w, 590, 24, 32, AMBER if lit else "#2b2540")
    c.fade_rect(0, 700, 1600, 200, "#3c3a50", "#20202f")
    c.rect(0, 700, 1600, 12, "#565069")
    for x in range(-40, 1600, 190):
        c.poly([(x, 822), (x + 96, 822), (x + 84, 832), (x - 12, 832)], "#d9c9a6", 150)
    _bus(c)
    c.rect(150, 470, 250, 14, "#1d1c2b", radius=4)
    for x in (162, 376):
        c.rect(x, 480, 10, 250, "#1d1c2b")
    c.rect(172, 490, 204, 196, "#9db4c9", alpha=50)
    c.rect(196, 660, 156, 12, "#1d1c2b")
    c.person(236, 730, 150, "#2e5d62")
    c.person(322, 730, 128, "#a2543c", "#8a5a44")
    c.glow(270, 500, 240, "#ffe0a0", 0.35)


def _rooftops(c: Canvas) -> None:
    for n in range(24):
        x, h = n * 70 - 30, c.chance.uniform(60, 190)
        c.rect(x, 800 - h, 60, h + 100, mix("#332c4e", "#42355a", c.chance.random()))
        for y in range(int(812 - h), 790, 30):
            if c.chance.random() < 0.4:
                c.rect(x + c.chance.choice((10, 34)), y, 13, 15, "#f0b566", alpha=190)


def tower_block(c: Canvas) -> None:
    c.sky("#182444", "#48406f", "#b5627a", "#f2a56b", bottom=800)
    c.stars(60, 240)
    c.cloud(260, 180, 380, "#f7b48a", 40)
    c.cloud(1380, 300, 380, "#f7b48a", 50)
    c.ridge(740, 20, "#3d3357", "#2d2947", wave=900)
    _rooftops(c)
    curtains = ("#ffd98c", "#f7b45a", "#f2c9a0", "#e88f6a", "#a8d0c4", "#f3e2b8", "#d98ba0")
    for x0, w, top, cols, tone in ((330, 330, 330, 5, "#2c3357"), (760, 470, 130, 7, "#242a4b")):
        c.fade_rect(x0, top, w, 800 - top, mix(tone, "#6b5a80", 0.35), tone)
        c.rect(x0 + w - 46, top, 46, 800 - top, "#1a2040", alpha=120)
        c.rect(x0 - 8, top - 12, w + 16, 16, "#191d38")
        c.rect(x0 + w * 0.4, top - 52, 74, 42, "#191d38")
        c.line([(x0 + w * 0.4 + 20, top - 50), (x0 + w * 0.4 + 20, top - 120)], "#191d38", 3)
        step = (w - 30) / cols
        for row in range(int((800 - top - 30) / 52)):
            y = top + 24 + row * 52
            c.rect(x0, y + 40, w, 4, "#161b34", alpha=150)
            for col in range(cols):
                x = x0 + 18 + col * step
                if c.chance.random() < 0.53:
                    shade = c.chance.choice(curtains)
                    c.fade_rect(x, y, step - 18, 32, mix(shade, "#ffffff", 0.25), shade)
                    what = c.chance.random()
                    if what < 0.22:
                        c.rect(x, y, (step - 18) * 0.3, 32, mix(shade, RUST, 0.45))
                    elif what < 0.4:
                        c.oval(x + step * 0.35, y + 18, 6, 7, "#3a2740")
                        c.rect(x + step * 0.35 - 9, y + 23, 18, 9, "#3a2740", radius=4)
                    elif what < 0.5:
                        c.oval(x + 12, y + 26, 9, 8, "#4d7a58")
                else:
                    c.rect(x, y, step - 18, 32, "#1a2142")
                    c.poly([(x, y + 32), (x + 12, y), (x + 22, y), (x + 10, y + 32)], "#4a4f78", 60)
    c.fade_rect(0, 800, 1600, 100, "#23243d", "#151728")
    for x in (120, 235, 1330, 1450, 1540):
        c.tree(x, 806, 130, "#1b2038")
    for x in (700, 1290):
        c.rect(x, 640, 7, 170, "#12152a")
        c.rect(x - 16, 634, 40, 10, "#12152a", radius=4)
        c.glow(x + 4, 660, 150, "#ffdf9a", 0.6)
        c.oval(x + 4, 812, 110, 14, "#f5c878", 60)
    c.person(650, 838, 86, "#a2463a")
    c.person(735, 842, 92, "#3b7070", "#7a4a36")
    c.person(770, 842, 64, "#d99a4a")


def tram(c: Canvas) -> None:
    c.sky("#22304a", "#4a5a70", "#8a8f92", "#c9b79a", bottom=620)
    c.glow(800, 470, 420, "#ffe6b4", 0.7)
    c.fade_poly([(690, 560), (910, 560), (910, 380), (690, 380)], "#8f8f90", "#9c9488")
    c.fade_rect(0, 560, 1600, 340, "#a39a8c", "#6d6866", "#454553")
    for side in (-1, 1):
        for n in range(6):
            near, far = 1.0 / (1 + n * 0.52), 1.0 / (1 + (n + 1) * 0.52)
            x1, x2 = 800 + side * 880 * near, 800 + side * 880 * far
            tone = mix(
                ("#6a4a48", "#54505f", "#7a5a4c", "#4a4a5c", "#6b5552", "#5a5666")[n],
                "#a8a29a",
                n * 0.09,
            )
            top1, top2 = 540 - 520 * near, 540 - 520 * far
            base1, base2 = 560 + 250 * near, 560 + 250 * far
            lift = 26 * (n % 2)
            c.poly([(x1, top1 - lift), (x2, top2 - lift), (x2, base2), (x1, base1)], tone)
            c.poly(
                [
                    (x1, top1 - lift - 16),
                    (x2, top2 - lift - 9),
                    (x2, top2 - lift),
                    (x1, top1 - lift),
                ],
                mix(tone, "#181a26", 0.45),
            )
            for row in range(4):
                for col in range(3):
                    a, b = 0.14 + col * 0.29, 0.14 + col * 0.29 + 0.15
                    s, t = 0.10 + row * 0.2, 0.10 + row * 0.2 + 0.115
                    quad = []
                    for u, v in ((a, s), (b, s), (b, t), (a, t)):
                        x = x1 + (x2 - x1) * u
                        top = top1 + (top2 - top1) * u - lift
                        base = base1 + (base2 - base1) * u
                        quad.append((x, top + (base - top) * v))
                    lit = c.chance.random() < 0.5
                    c.poly(quad, "#fbcf7c" if lit else mix(tone, "#161b2c", 0.5))
            awning = [
                (x1 + (x2 - x1) * u, base1 + (base2 - base1) * u - (base1 - top1) * v)
                for u, v in ((0.1, 0.2), (0.85, 0.185), (0.85, 0.14), (0.1, 0.13))
            ]
            c.poly(awning, ("#a83f2e", "#24473f", "#c98a3c", "#1f4e5f", "#8f3b14", "#5a4a78")[n])
    c.fade_poly([(690, 560), (910, 560), (1700, 910), (-100, 910)], "#a39a8c", "#4d5260", "#2b303f")
    for offset in (-150, 150):
        c.line([(800 + offset * 0.12, 562), (800 + offset * 1.9, 910)], "#e8dfc9", 5, 190)
    for _ in range(150):
        y = 575 + 325 * c.chance.random()
        x = 800 + c.chance.uniform(-1, 1) * (60 + (y - 560) * 2)
        c.rect(
            x, y, c.chance.uniform(20, 80), 2.5, "#f6e2b4", alpha=c.chance.randint(20, 80), radius=1
        )
    c.line([(800, 250), (800, -10)], "#1a1f2e", 3)
    c.line([(800, 330), (796, -10)], "#1a1f2e", 2)
    c.line([(740, 258), (800, 214), (860, 258)], "#1a1f2e", 5)
    c.oval(800, 768, 210, 20, "#151a28", 170)
    c.rect(640, 256, 320, 500, "#f3e7c8", radius=44)
    c.rect(640, 540, 320, 216, "#2b5a4b", radius=28)
    c.rect(640, 540, 320, 60, "#2b5a4b")
    c.rect(640, 530, 320, 10, "#c98a3c")
    c.rect(690, 276, 220, 46, "#151a28", radius=8)
    for n, width in enumerate((22, 14, 30, 18, 26)):
        c.rect(712 + n * 38, 292, width, 14, AMBER, radius=3)
    c.fade_poly([(664, 344), (748, 340), (748, 512), (664, 512)], "#ffeab8", "#e7b163")
    c.fade_poly([(758, 340), (842, 340), (842, 512), (758, 512)], "#fff2cf", "#f0bd6d")
    c.fade_poly([(852, 340), (936, 344), (936, 512), (852, 512)], "#ffeab8", "#e7b163")
    c.oval(800, 424, 24, 28, "#4a3038")
    c.rect(768, 454, 64, 58, "#2f3d5a", radius=18)
    c.oval(704, 456, 17, 20, "#6b4a44")
    c.rect(682, 478, 44, 34, "#8a4a3c", radius=12)
    c.oval(898, 462, 16, 19, "#5a4040")
    c.rect(878, 482, 40, 30, "#4d6a5c", radius=12)
    c.rect(770, 570, 60, 34, CREAM, radius=6)
    c.rect(784, 580, 8, 16, "#2b5a4b")
    c.rect(800, 580, 16, 16, "#2b5a4b")
    for x in (690, 910):
        c.oval(x, 650, 26, 26, "#fff6dc")
        c.glow(x, 650, 170, "#fff0c0", 0.75)
        c.poly(
            [
                (x - 20, 740),
                (x + 20, 740),
                (x + (x - 800) * 0.9 + 70, 905),
                (x + (x - 800) * 0.9 - 70, 905),
            ],
            "#fff0c0",
            34,
        )
    c.rect(660, 720, 280, 30, "#1c2a2c", radius=8)
    c.person(360, 800, 190, "#8f3b14")
    c.poly([(270, 640), (360, 570), (450, 640)], "#b3352c")
    c.line([(360, 580), (372, 712)], "#1a1418", 4)
    c.person(1240, 790, 176, "#3d5a78", "#8a5a44")
    for _ in range(240):
        x, y = c.chance.uniform(0, 1620), c.chance.uniform(-20, 880)
        c.line(
            [(x, y), (x - 8, y + c.chance.uniform(18, 40))],
            "#e9eef0",
            1.3,
            c.chance.randint(30, 90),
        )


def market(c: Canvas) -> None:
    c.sky("#2a2350", "#5d3f78", "#b3627c", "#f0a070", bottom=560)
    c.stars(50, 200)
    for n in range(10):
        x, h = n * 168 - 40, (300, 350, 270, 330, 380)[n % 5]
        tone = mix("#43315c", "#5d3f5c", (n % 3) / 3)
        c.rect(x, 640 - h, 162, h, tone)
        c.rect(x - 4, 632 - h, 170, 14, mix(tone, "#1a1430", 0.4))
        for wx in (22, 68, 114):
            for wy in range(int(664 - h), 520, 74):
                lit = c.chance.random() < 0.4
                c.rect(
                    x + wx, wy, 28, 42, "#f7c070" if lit else mix(tone, "#1a1430", 0.45), radius=2
                )
    c.fade_rect(0, 620, 1600, 280, "#6a4a5c", "#2c2238")
    for row in range(9):
        y = 650 + row * row * 3.6
        c.line([(0, y), (1600, y)], "#4a3448", 2, 150)

    def stall(x: float, w: float, y: float, one: str, other: str, goods: tuple[str, ...]) -> None:
        c.rect(x + 8, y, 10, 300, "#38251f")
        c.rect(x + w - 18, y, 10, 300, "#38251f")
        c.fade_rect(x + 14, y + 40, w - 28, 160, "#5a3340", "#8a5048")
        strips = int(w // 44)
        s = (w + 40) / strips
        for n in range(strips):
            tone = one if n % 2 == 0 else other
            top_l, top_r = x + 34 + n * (w - 68) / strips, x + 34 + (n + 1) * (w - 68) / strips
            low_l, low_r = x - 20 + n * s, x - 20 + (n + 1) * s
            c.poly([(top_l, y - 70), (top_r, y - 70), (low_r, y + 30), (low_l, y + 30)], tone)
            c.poly(
                [(low_l, y + 30), (low_r, y + 30), (low_r, y + 42), (low_l, y + 42)],
                mix(tone, "#2a1430", 0.2),
            )
            c.oval((low_l + low_r) / 2, y + 42, s / 2, 14, mix(tone, "#2a1430", 0.2))
        c.glow(x + w / 2, y + 96, w * 0.55, "#ffd98c", 0.75)
        c.oval(x + w / 2, y + 70, 13, 16, "#fff6dc")
        c.person(
            x + w * 0.33,
            y + 226,
            150,
            c.chance.choice(("#3b6f66", "#a2463a", "#3d5a78")),
            c.chance.choice(("#c98f6b", "#8a5a44", "#6b4430")),
        )
        for k, tone in enumerate(goods):
            bw = (w - 20) / len(goods)
            bx = x + 10 + k * bw
            for level in range(3):
                for m in range(5 - level):
                    jitter = c.chance.uniform(-2, 2)
                    px = bx + bw * (0.14 + 0.09 * level) + m * bw * 0.18 + jitter
                    r = bw * 0.115
                    c.oval(
                        px, y + 196 - level * r * 1.25, r, r, mix(tone, "#2a1430", 0.12 * (m % 3))
                    )
                    c.oval(
                        px - r * 0.3,
                        y + 192 - level * r * 1.25,
                        r * 0.3,
                        r * 0.25,
                        mix(tone, "#ffffff", 0.5),
                    )
            c.rect(bx + 2, y + 200, bw - 4, 50, "#9c6a3f", radius=3)
            c.rect(bx + 2, y + 222, bw - 4, 4, "#6b4430")
        c.rect(x, y + 250, w, 76, mix(one, "#2a1a30", 0.55))

    stall(40, 400, 440, "#b3352c", CREAM, ("#f2b04c", "#d9483c", "#8fb455"))
    stall(1150, 410, 440, "#24576a", CREAM, ("#7a3a6b", "#f0d060", "#d9734e"))
    stall(560, 470, 470, "#2f6b57", "#f6d98c", ("#d9483c", "#f2962e", "#6fa04e", "#f4e3b0"))
    for a, b, sag in (
        ((0, 250), (560, 190), 70),
        ((560, 190), (1100, 200), 80),
        ((1100, 200), (1600, 250), 66),
    ):
        points = [
            (
                a[0] + (b[0] - a[0]) * t / 16,
                a[1] + (b[1] - a[1]) * t / 16 + sag * math.sin(math.pi * t / 16),
            )
            for t in range(17)
        ]
        c.line(points, "#1a1430", 3)
        for px, py in points[1::2]:
            c.glow(px, py + 10, 46, "#ffdf98", 0.7)
            c.oval(px, py + 10, 8, 10, "#fff3cc")
    c.person(480, 858, 190, "#d9a441", "#6b4430")
    c.rect(496, 790, 40, 42, "#8a5b3c", radius=6)
    c.person(1090, 866, 200, "#7b4a7a")
    c.person(1136, 866, 120, "#c9657a")


TOWN_SCENES: dict[str, Callable[[Canvas], None]] = {
    "bus-at-dusk": bus_at_dusk,
    "tower-block": tower_block,
    "tram": tram,
    "market": market,
}
