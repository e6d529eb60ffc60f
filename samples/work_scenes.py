"""Scenes of work: a library, a hospital, a pit, a printing shop."""

from __future__ import annotations

import math
from collections.abc import Callable

from canvas import Canvas, mix

CORAL, AMBER, CREAM = "#d9734e", "#f2b04c", "#f8ead0"
PINE = "#24473f"


def library(c: Canvas) -> None:
    c.sky("#4b2f2a", "#3a2524", "#2c1d20")
    wood, dark = "#7a4a2f", "#4d2d20"
    spines = (
        "#a83f2e",
        "#1f4e5f",
        "#d9a441",
        "#24473f",
        "#c9657a",
        "#e9d6b0",
        "#5a4a78",
        "#b86b3c",
        "#7d9a78",
        "#2f4470",
    )
    for x0, width in ((40, 470), (545, 510), (1090, 470)):
        c.rect(x0, 30, width, 740, wood)
        c.rect(x0 + 14, 44, width - 28, 720, "#26181a")
        for row in range(6):
            y = 44 + row * 120
            c.fade_rect(x0 + 14, y, width - 28, 26, "#150d11", "#26181a")
            x = x0 + 20.0
            while x < x0 + width - 44:
                w, h = c.chance.uniform(13, 30), c.chance.uniform(70, 100)
                gap = c.chance.random()
                if gap < 0.045:
                    x += c.chance.uniform(24, 60)
                    continue
                tone = mix(c.chance.choice(spines), "#2a1a1c", c.chance.uniform(0.05, 0.35))
                if gap > 0.955:
                    c.poly(
                        [(x, y + 108), (x + 22, y + 20), (x + 44, y + 26), (x + 22, y + 108)], tone
                    )
                    x += 46
                    continue
                c.rect(x, y + 108 - h, w - 1.5, h, tone, radius=2)
                c.rect(x, y + 108 - h, 3, h, mix(tone, CREAM, 0.25), radius=1)
                if w > 17:
                    c.rect(x + 3, y + 124 - h, w - 8, 5, mix(tone, "#f6dca0", 0.6))
                    c.rect(x + 3, y + 88, w - 8, 3, mix(tone, "#f6dca0", 0.6))
                x += w
            c.rect(x0 + 6, y + 108, width - 12, 14, wood)
            c.rect(x0 + 6, y + 118, width - 12, 5, dark)
        c.rect(x0 - 8, 18, width + 16, 22, "#8d5838", radius=3)
    c.fade_rect(0, 766, 1600, 134, "#6b3f2b", "#3a211b")
    for x in range(-300, 1900, 150):
        c.line([(800 + (x - 800) * 0.72, 768), (x, 905)], "#4d2d20", 2, 160)
    c.oval(800, 850, 520, 62, "#7b2f2a")
    c.oval(800, 850, 470, 52, "#943b31")
    c.oval(800, 850, 430, 45, "#7b2f2a")
    for x in (1190, 1300):
        c.line([(x, 790), (x + 70, 60)], "#b98252", 11)
    for n in range(12):
        t = n / 12
        c.line(
            [(1194 + 70 * t, 760 - 730 * t + 20), (1304 + 70 * t, 760 - 730 * t + 20)], "#a06d44", 8
        )
    c.line([(640, 0), (640, 240)], "#140d10", 4)
    c.poly([(560, 310), (600, 240), (680, 240), (720, 310)], "#24473f")
    c.poly([(560, 310), (720, 310), (712, 318), (568, 318)], "#f8e2a8")
    c.oval(640, 318, 24, 16, "#fff6dc")
    c.glow(640, 330, 480, "#ffd58a", 0.62)
    c.poly([(566, 318), (714, 318), (960, 800), (320, 800)], "#ffe2a0", 26)
    c.rect(530, 560, 240, 220, "#2f5d57", radius=40)
    c.rect(500, 650, 74, 150, "#3b6f66", radius=26)
    c.rect(726, 650, 74, 150, "#3b6f66", radius=26)
    c.rect(556, 700, 190, 84, "#447c72", radius=18)
    c.rect(520, 796, 20, 30, dark)
    c.rect(760, 796, 20, 30, dark)
    c.rect(596, 612, 112, 130, "#c98a3c", radius=34)
    c.oval(652, 574, 34, 40, "#8a5a44")
    c.oval(652, 548, 37, 24, "#2a1a1c")
    c.rect(596, 716, 46, 96, "#2f3d5a", radius=16)
    c.rect(664, 716, 46, 96, "#2f3d5a", radius=16)
    c.rect(584, 806, 60, 20, "#1a1418", radius=8)
    c.rect(664, 806, 60, 20, "#1a1418", radius=8)
    c.poly([(602, 664), (652, 680), (652, 730), (594, 712)], CREAM)
    c.poly([(702, 664), (652, 680), (652, 730), (710, 712)], "#efd9ae")
    c.oval(900, 824, 46, 10, "#241418", 140)
    for n, tone in enumerate(("#1f4e5f", "#d9a441", "#a83f2e", "#e9d6b0")):
        c.rect(852 + n * 5, 806 - n * 17, 92 - n * 8, 16, tone, radius=3)


def _entrance_and_ambulance(c: Canvas) -> None:
    c.rect(590, 640, 400, 22, "#1c2d4c", radius=4)
    c.rect(604, 660, 12, 106, "#1c2d4c")
    c.rect(964, 660, 12, 106, "#1c2d4c")
    c.fade_rect(660, 668, 260, 98, "#fff1c8", "#f7c66b")
    for x in (724, 788, 852):
        c.rect(x, 668, 5, 98, "#4b5f7c")
    c.glow(790, 740, 320, "#ffdf98", 0.5)
    c.poly([(640, 768), (940, 768), (1080, 900), (500, 900)], "#ffdf98", 46)
    c.person(760, 812, 112, "#2f7d7a", "#8a5a44")
    c.rect(790, 774, 104, 14, "#e9eef0", radius=5)
    c.rect(796, 762, 84, 14, "#a9c9d6", radius=5)
    for x in (804, 880):
        c.rect(x, 788, 5, 18, "#8a97a8")
        c.oval(x + 2, 808, 6, 6, "#12182a")
    c.oval(1200, 846, 200, 12, "#0c1222", 150)
    c.rect(1020, 700, 270, 130, "#f6f3e8", radius=12)
    c.poly([(1284, 716), (1330, 720), (1376, 772), (1380, 830), (1284, 830)], "#f6f3e8")
    c.poly([(1300, 728), (1326, 732), (1360, 770), (1300, 770)], "#3a5878")
    c.rect(1020, 776, 360, 24, "#d6b13f")
    for n in range(9):
        c.rect(1020 + n * 40, 776, 20, 24, "#2f7d5a")
    c.fade_rect(1060, 722, 96, 40, "#3a5878", "#2a4260")
    c.fade_rect(1172, 722, 96, 40, "#ffe9b4", "#f3c270")
    c.rect(1240, 684, 70, 18, "#4f8fd8", radius=6)
    c.glow(1274, 690, 190, "#6fb0ff", 0.75)
    for x in (1092, 1316):
        c.oval(x, 832, 32, 32, "#141a2b")
        c.oval(x, 832, 14, 14, "#8b97a8")


def hospital_at_night(c: Canvas) -> None:
    c.sky("#0d1730", "#1a2f55", "#34537a", "#587792", bottom=760)
    c.stars(190, 460)
    c.glow(1270, 190, 330, "#dfe9f2", 0.55)
    c.oval(1270, 190, 84, 84, "#f6f1de")
    for x, y, r in ((1245, 170, 15), (1300, 205, 22), (1262, 232, 10), (1306, 150, 9)):
        c.oval(x, y, r, r, "#e4dcc2")
    c.cloud(1180, 250, 420, "#23385f", 190)
    c.cloud(330, 150, 380, "#2a4169", 170)
    c.ridge(700, 22, "#1b2b4b", "#15223d", wave=800)
    for x, top, w, tone in (
        (90, 400, 420, "#2c4468"),
        (1120, 440, 400, "#2c4468"),
        (440, 250, 700, "#38537a"),
    ):
        c.fade_rect(x, top, w, 770 - top, mix(tone, "#8aa3b8", 0.18), tone)
        c.rect(x - 8, top - 12, w + 16, 16, "#1c2d4c")
        cols = int(w // 62)
        step = (w - 36) / cols
        for row in range(int((700 - top) // 62)):
            for col in range(cols):
                wx, wy = x + 20 + col * step, top + 26 + row * 62
                if tone == "#38537a" and 705 < wx + 20 < 880 and row < 2:
                    continue
                draw = c.chance.random()
                shade = c.chance.choice(("#ffe2a0", "#f9c86f", "#fff1cd", "#a9d3cf"))
                if draw < 0.62:
                    c.fade_rect(wx, wy, step - 18, 38, mix(shade, "#ffffff", 0.2), shade)
                    if draw < 0.12:
                        c.oval(wx + 20, wy + 17, 7, 8, "#33445f")
                        c.rect(wx + 10, wy + 23, 20, 15, "#33445f", radius=6)
                    elif draw < 0.24:
                        c.rect(wx, wy, (step - 18) * 0.4, 38, mix(shade, "#4d7a78", 0.5))
                else:
                    c.rect(wx, wy, step - 18, 38, "#1a2945")
    c.rect(740, 282, 110, 110, "#2f6aa8", radius=14)
    c.rect(766, 304, 16, 66, "#f8f4e6")
    c.rect(808, 304, 16, 66, "#f8f4e6")
    c.rect(766, 329, 58, 16, "#f8f4e6")
    c.glow(795, 337, 170, "#fff6dc", 0.35)
    c.fade_rect(0, 760, 1600, 140, "#2a3a55", "#131c30")
    _entrance_and_ambulance(c)
    for x in (60, 180, 1490, 1570):
        c.tree(x, 790, 150, "#101c33")


def _terraces(c: Canvas) -> None:
    for row, (base, size, tone) in enumerate(((760, 84, "#4d3350"), (850, 112, "#3a2740"))):
        for n in range(int(1700 / size)):
            x = n * size - 30 * (row + 1)
            c.rect(x, base - size * 0.62, size - 3, 200, tone)
            c.poly(
                [
                    (x - 3, base - size * 0.6),
                    (x + size * 0.5, base - size * 0.98),
                    (x + size, base - size * 0.6),
                ],
                mix(tone, "#120c18", 0.35),
            )
            c.rect(
                x + size * 0.7,
                base - size * 1.02,
                size * 0.14,
                size * 0.3,
                mix(tone, "#120c18", 0.2),
            )
            if c.chance.random() < 0.62:
                c.rect(
                    x + size * 0.18,
                    base - size * 0.42,
                    size * 0.22,
                    size * 0.26,
                    "#f7c36a",
                    radius=2,
                )
            if c.chance.random() < 0.4:
                c.rect(
                    x + size * 0.56,
                    base - size * 0.42,
                    size * 0.22,
                    size * 0.26,
                    "#f7c36a",
                    radius=2,
                )
            if c.chance.random() < 0.5:
                for m in range(6):
                    c.oval(
                        x + size * 0.77 + m * m * 2.2,
                        base - size * (1.06 + m * 0.13),
                        6 + m * 3.4,
                        5 + m * 2.4,
                        "#f3d9c6",
                        60 - m * 9,
                    )


def pit_head(c: Canvas) -> None:
    c.sky("#3a3358", "#a4566a", "#ee8a4f", "#fbc676", bottom=640)
    c.glow(980, 520, 560, "#ffe2a0", 0.85)
    c.oval(980, 520, 92, 92, "#fff0c4")
    for x, y, w in ((300, 180, 460), (1240, 130, 420), (760, 270, 330), (1480, 330, 300)):
        c.cloud(x, y, w, "#5c3a5e", 70)
    c.ridge(600, 34, "#b8605a", "#a2555c", wave=820)
    c.ridge(650, 40, "#7a4358", "#673a52", wave=600)
    ink = "#231d33"
    c.poly([(80, 720), (330, 520), (470, 560), (640, 720)], "#4d3049")
    c.rect(0, 700, 1600, 200, "#33233c")
    for a, b in (((560, 720), (664, 250)), ((800, 720), (720, 250)), ((1010, 720), (726, 262))):
        c.line([a, b], ink, 18)
    for n in range(6):
        t0, t1 = n / 6, (n + 1) / 6
        lx0, rx0 = 560 + 104 * t0, 800 - 80 * t0
        lx1, rx1 = 560 + 104 * t1, 800 - 80 * t1
        y0, y1 = 720 - 470 * t0, 720 - 470 * t1
        c.line([(lx0, y0), (rx1, y1)], ink, 6)
        c.line([(rx0, y0), (lx1, y1)], ink, 6)
        c.line([(lx1, y1), (rx1, y1)], ink, 7)
    c.rect(610, 250, 180, 16, ink)
    for cx, cy, radius in ((690, 178, 84),):
        c.ring(cx, cy, radius, ink, 12)
        c.ring(cx, cy, radius - 20, ink, 3)
        for n in range(10):
            a = math.tau * n / 10
            c.line(
                [(cx, cy), (cx + math.cos(a) * (radius - 8), cy + math.sin(a) * (radius - 8))],
                ink,
                5,
            )
        c.oval(cx, cy, 15, 15, ink)
    c.line([(628, 244), (690, 178), (752, 244)], ink, 12)
    c.line([(772, 160), (1190, 566)], ink, 3)
    c.line([(766, 214), (1190, 590)], ink, 3)
    c.rect(1130, 540, 260, 190, "#3b2740")
    c.poly([(1114, 546), (1260, 470), (1406, 546)], ink)
    for n in range(4):
        c.rect(1154 + n * 60, 586, 32, 78, AMBER, radius=16)
    c.glow(1260, 630, 190, "#ffcf80", 0.4)
    c.poly([(1420, 720), (1430, 400), (1468, 400), (1480, 720)], ink)
    _terraces(c)


def _drying_sheets(c: Canvas) -> None:
    c.line([(620, 84), (1600, 132)], "#1d1413", 4)
    for n in range(7):
        x, y = 650 + n * 132, 86 + n * 6.4
        w, h = 98, 132
        tilt = c.chance.uniform(-5, 5)
        c.poly([(x, y), (x + w, y + 5), (x + w + tilt, y + h + 4), (x + tilt, y + h)], "#f6ecd2")
        c.rect(x + 10 + tilt * 0.2, y + 16, w - 22, 15, "#2b2530")
        for m in range(5):
            for k in range(2):
                c.rect(x + 10 + k * 40 + tilt * 0.5, y + 42 + m * 15, 34, 4, "#8a8078")
        if n % 3 == 1:
            c.rect(x + 52 + tilt * 0.4, y + 40, 36, 36, CORAL)
        for px in (x + 14, x + w - 16):
            c.rect(px, y - 8, 7, 20, "#a06d44", radius=2)


def _press(c: Canvas) -> None:
    iron, light, gold = "#1e2230", "#363d52", "#d9a441"
    c.oval(1010, 812, 440, 28, "#1d1210", 150)
    for x in (760, 1200):
        c.fade_poly([(x, 300), (x + 74, 300), (x + 84, 800), (x - 10, 800)], light, iron)
        c.rect(x - 26, 780, 126, 30, iron, radius=6)
        c.rect(x + 10, 340, 8, 420, gold, radius=4)
        c.rect(x + 56, 340, 8, 420, gold, radius=4)
    c.fade_poly(
        [(730, 310), (760, 250), (1270, 250), (1304, 310), (1304, 350), (730, 350)], light, iron
    )
    c.rect(760, 322, 514, 8, gold, radius=4)
    c.poly([(880, 250), (1017, 196), (1154, 250)], iron)
    c.oval(1017, 226, 17, 17, gold)
    c.rect(976, 350, 82, 130, light, radius=6)
    for n in range(5):
        c.rect(970, 362 + n * 24, 94, 9, gold, radius=4)
    c.rect(850, 478, 336, 46, iron, radius=6)
    c.rect(850, 520, 336, 12, gold)
    c.line([(1050, 420), (1330, 470)], light, 16)
    c.oval(1340, 472, 24, 17, "#8a5b3c")
    c.rect(640, 586, 780, 34, iron, radius=6)
    c.rect(640, 586, 780, 8, gold)
    c.poly([(800, 560), (1236, 560), (1252, 588), (784, 588)], "#f6ecd2")
    for n in range(5):
        c.rect(830 + n * 76, 568, 60, 5, "#8a8078")
        c.rect(830 + n * 76, 577, 60, 4, "#8a8078")
    c.ring(700, 690, 74, iron, 16)
    for n in range(6):
        a = math.tau * n / 6 + 0.3
        c.line([(700, 690), (700 + math.cos(a) * 66, 690 + math.sin(a) * 66)], iron, 9)
    c.oval(700, 690, 17, 17, gold)


def printing_press(c: Canvas) -> None:
    c.sky("#3d2c2a", "#57392f", "#3a2622")
    for row in range(16):
        for col in range(18):
            x, y = col * 96 - (row % 2) * 48, row * 40
            if c.chance.random() < 0.55:
                c.rect(
                    x, y, 90, 34, mix("#5e3d31", "#7a4f3c", c.chance.random()), alpha=120, radius=2
                )
    c.fade_rect(140, 110, 330, 360, "#8fb0bc", "#d9dcc6", "#f3cf98")
    for x in (140, 245, 350, 455):
        c.rect(x, 104, 14, 372, "#2a1c1a")
    for y in (104, 222, 340, 462):
        c.rect(140, y, 329, 12, "#2a1c1a")
    c.poly([(154, 470), (456, 470), (860, 900), (360, 900)], "#ffe0a8", 34)
    c.fade_rect(0, 720, 1600, 180, "#7a4e34", "#3a241b")
    for y in (746, 784, 834):
        c.line([(0, y), (1600, y)], "#4d2f22", 3, 170)
    _drying_sheets(c)
    _press(c)
    c.rect(150, 610, 330, 24, "#6b4430", radius=4)
    c.poly([(160, 610), (196, 560), (490, 560), (470, 610)], "#8a5b3c")
    for n in range(9):
        for m in range(3):
            c.rect(206 + n * 30 - m * 8, 568 + m * 14, 22, 9, "#3a251c", radius=2)
    for x in (164, 448):
        c.rect(x, 630, 18, 170, "#573624")
    for y in (664, 712, 760):
        c.rect(182, y, 266, 6, "#573624")
        c.oval(315, y + 22, 9, 9, AMBER)
    c.person(560, 822, 330, "#4d6a7a", "#c98f6b")
    c.rect(530, 590, 60, 142, "#c9b48a", radius=10)
    c.oval(560, 510, 31, 20, "#d9d4cc")
    c.rect(1440, 650, 120, 150, "#e9dcbc", radius=3)
    for n in range(16):
        c.rect(1440, 656 + n * 9, 120, 3, "#c9b48a")
    c.line([(560, 0), (560, 170)], "#120c0c", 4)
    c.poly([(500, 228), (536, 170), (584, 170), (620, 228)], PINE)
    c.oval(560, 232, 20, 12, "#fff6dc")
    c.glow(560, 250, 420, "#ffd58a", 0.55)


WORK_SCENES: dict[str, Callable[[Canvas], None]] = {
    "library": library,
    "hospital-at-night": hospital_at_night,
    "pit-head": pit_head,
    "printing-press": printing_press,
}
