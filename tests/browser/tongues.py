"""The sample edition in other languages: German, and Arabic, which runs from right to left."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from typing import Any

from mailer.articles.article import Article, DiaryEntry, Kind
from mailer.issues.issue import Issue, Pick, RegionBlock
from mailer.policies import Support
from mailer.publication import Publication, Section
from tests.browser.sampling import make_article, make_issue, make_picture, make_publication

GERMAN: dict[str, Any] = {
    "language": "de",
    "title": "Tidenwasser",
    "tagline": "Nachrichten vom Rand",
    "publisher": "Verein Tidenwasser",
    "postal_address": "Verein Tidenwasser, Kaistraße 3, 12345 Salzmund",
    "column": "Von der Slipanlage",
    "why": "Sie haben diesen Brief auf unserer Website bestellt.",
    "sections": ("Der Aufmacher", "Nachrichten", "Lesenswert"),
    "appeal": ("Damit die Lampe brennt", "Wir leben von kleinen Beträgen vieler Menschen."),
    "region": "Nordseeküste",
    "stories": (
        ("Ein Plan auf der Rückseite eines Fahrscheins", ("Die Fähre fuhr nicht. Am Mittag hatten "
         "die Fahrgäste eine Liste, eine Kassenwartin und einen Plan.")),
        ("Die Mole gehört wieder dem Dorf", ("Nach elf Jahren hat die Gemeinde den Pachtvertrag "
         "zurückgekauft, für den Preis eines gebrauchten Treckers.")),
        ("„Ich zähle Lampen, seit ich laufen kann“", ("Die Leuchtturmwärterin über Nächte ohne "
         "Strom und Nachbarn mit Taschenlampen.")),
        ("Aufruf: Was steht an Ihrer Haltestelle?", ("Fotografieren Sie den Fahrplan und schicken "
         "Sie ihn uns, bevor der Winterfahrplan gilt.")),
        ("Ein Atlas der Wege, die es nicht mehr gibt", "Vierzig Karten, jede mit einer Lücke."),
        ("Die Straßenbahn kommt bis zum Deich", "Drei Haltestellen mehr, und ein Kiosk."),
    ),
    "opening": "Es hat geregnet.\n\nDann kamen *alle*, und "
    "[das Protokoll](https://tidewater.example/minutes) sagt es auch.",
    "note": "Bringen Sie **Stiefel** mit.",
    "quote": ("Ein Kai ist ein Versprechen mit Pollern.", "Aus einem Brief"),
    "diary": (("Hafenessen", "Salzmund"), ("Strandgang", "Am alten Leuchtturm")),
    "author": "Wiebke Hollander",
}  # fmt: skip

ARABIC: dict[str, Any] = {
    "language": "ar",
    "title": "مدّ وجزر",
    "tagline": "أخبار من أطراف البلاد",
    "publisher": "جمعية مدّ وجزر",
    "postal_address": "جمعية مدّ وجزر، ٣ شارع الرصيف، المرفأ",
    "column": "من حافة الميناء",
    "why": "وصلتك هذه النشرة لأنك طلبتها من موقعنا.",
    "sections": ("الخبر الأول", "أخبار", "للقراءة"),
    "appeal": ("أبقوا المصباح مضاءً", "نعيش على مبالغ صغيرة من ناس كثيرين."),
    "region": "الساحل الشمالي",
    "stories": (
        ("خطة على ظهر تذكرة", ("لم تبحر العبّارة يوم الثلاثاء. وعند الظهر كانت لدى الركاب قائمة "
         "وأمينة صندوق وخطة.")),
        ("الرصيف يعود إلى أهل القرية", ("بعد أحد عشر عاماً اشترت القرية عقد الإيجار بثمن جرّار "
         "مستعمل.")),
        ("«أعدّ المصابيح منذ تعلّمت المشي»", ("حارسة المنارة تتحدث عن ليالٍ بلا كهرباء وجيران "
         "يحملون المصابيح.")),
        ("نداء: ماذا كُتب على موقف حافلتك؟", "صوّر الجدول وأرسله إلينا قبل أن يتغيّر."),
        ("أطلس الطرق التي لم تعد موجودة", "أربعون خريطة، في كل منها فراغ."),
        ("الترام يصل إلى السدّ", "ثلاث محطات جديدة وكشك واحد."),
    ),
    "opening": "هطل المطر.\n\nثم جاء *الجميع*، و"
    "[المحضر](https://tidewater.example/minutes) يقول ذلك أيضاً.",
    "note": "أحضروا **أحذية** للمطر.",
    "quote": ("الرصيف وعدٌ له أوتاد.", "من رسالة"),
    "diary": (("عشاء في الميناء", "المرفأ"), ("مشي على الشاطئ", "عند المنارة القديمة")),
    "author": "ريم حلواني",
}  # fmt: skip

_NAMES = ("ferry", "pier", "light", "call", "atlas", "tram")
_KINDS = (Kind.REPORT, Kind.NEWS, Kind.INTERVIEW, Kind.CALL, Kind.REVIEW, Kind.NEWS)


def edition_of(
    tongue: dict[str, Any],
) -> tuple[Publication, Issue, dict[str, Article], list[DiaryEntry]]:
    """Return what an edition in that language is rendered from."""
    publication = make_publication(
        **{key: tongue[key] for key in ("language", "title", "tagline", "publisher")},
        postal_address=tongue["postal_address"],
        why_you_get_this=tongue["why"],
        columnist=tongue["author"],
        column_title=tongue["column"],
        sections=tuple(
            Section(slug=slug, title=title, quota=6, look=look)
            for slug, title, look in zip(
                ("lead", "news", "reading"),
                tongue["sections"],
                ("stories", "stories", "list"),
                strict=True,
            )
        ),
        support=Support(
            title=tongue["appeal"][0],
            text=tongue["appeal"][1],
            url="https://tidewater.example/give",
        ),
    )
    wales = publication.region_map["wales"]
    regions = dict(publication.region_map)
    regions["wales"] = wales.model_copy(update={"name": tongue["region"]})
    publication = publication.model_copy(update={"region_map": regions})
    pictures = {"ferry": "quay", "pier": "pier", "tram": "pier"}
    articles = {
        name: make_article(
            name,
            title=title,
            standfirst=words,
            body_text=words,
            body_html=f"<p>{words}</p>",
            authors=(tongue["author"],),
            kind=kind,
            deadline=date(2026, 12, 4) if kind is Kind.CALL else None,
            picture=make_picture(pictures[name], caption="", credit="Tidewater Studio")
            if name in pictures
            else None,
        )
        for name, kind, (title, words) in zip(_NAMES, _KINDS, tongue["stories"], strict=True)
    }
    issue = replace(
        make_issue(),
        subject=tongue["stories"][0][0],
        preheader=tongue["stories"][0][1],
        opening=tongue["opening"],
        columnist=tongue["author"],
        opening_title=tongue["column"],
        sections={
            "lead": (Pick("ferry"),),
            "news": (Pick("pier"), Pick("light"), Pick("call")),
            "reading": (Pick("atlas"),),
        },
        regions={"wales": RegionBlock(note=tongue["note"], picks=(Pick("tram"),))},
        quote=tongue["quote"][0],
        quote_source=tongue["quote"][1],
    )
    diary = [
        DiaryEntry(name, title, on, at, place)
        for name, on, at, (title, place) in zip(
            ("supper", "walk"),
            (date(2026, 12, 5), date(2026, 12, 12)),
            (time(19, 30), None),
            tongue["diary"],
            strict=True,
        )
    ]
    return publication, issue, articles, diary
