"""Words that help to tell whether a capitalised word is a place: ours, kept by hand."""

from __future__ import annotations


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text that is kept by hand."""
    return frozenset(text.split())


HESITANT = word_set(
    """
    abridge amble archway ash banks barking barley bath battle beer bicker boston bow bowling
    box bray bridge bugle bury busby callow camber cardigan castor cheddar chipping church
    cooling cove coven cray crick crook cults dale deal derby diss docking dollar douglas
    dunning duns eagle eye felling fleet flint flushing ford forth freshwater goring grain grove
    hale hales halifax hallow harrow hassocks hawthorn hay headstone healing heather hermitage
    hill hillside hook hope hose hull hyde lancaster lancing law lea lee leek lees lincoln
    lizard loans locking lode maidens march mark martin mere mold moss mullion nelson over pant
    par perth plains pool poole poplar preston quarter raglan rake reading richmond ridge rock
    rode rugby rye sale saline sandbank sandwich sandy scone send settle sharpness sheering
    stanley steep stock stoke stone stow street summerhouse sway timberland tong tumble valley
    wall warden ware warwick washington welling wellington wells whetstone wick wing wool worth
    wrangle
    """
)
"""Places that are also words, surnames or better known elsewhere: they need a sign beside them."""

WARY = word_set(
    """
    banks beer box bridge bugle church cove dale dollar eye ford grain grove hay hill hook hope
    hose law lee loans march mark martin moss over par plains pool quarter ridge rock scone send
    settle stanley steep stock stone street valley wall wing wool worth
    """
)
"""Of those, the ones that a preposition does not tell ("in March"): they need a neighbour too."""

LOCATIVE = word_set(
    """
    in at near from outside around across to between through towards toward beyond into via
    """
)
"""Before a place; "of" and "for" are not here, since they stand before anything."""

TITLES = word_set(
    """
    mr mrs ms miss mx dr sir dame lord lady baroness baron prof professor councillor cllr judge
    justice sister brother father rev reverend captain major sergeant inspector constable saint
    president minister secretary chancellor speaker
    """
)
"""Before a person's name."""

GIVEN = word_set(
    """
    adam alan alex ali alice amy andrew andy angela ann anna anne anthony barbara ben beth bill
    bob brian carol caroline catherine charles charlotte chris christine claire colin daniel
    dave david debbie diane donna dorothy edward eleanor elizabeth ella emily emma eric eve
    fatima fiona frank gary geoff george gillian gordon grace graham harry hassan heather helen
    henry holly hugh ian imran irene isaac jack jacob jacqueline james jane janet jason jean
    jenny jeremy jessica jill jim joan joanna joe john jonathan joseph joyce judith julia julie
    karen kate kathleen keith kelly kenneth kevin laura lauren leah leo liam linda lisa liz
    louise lucy luke margaret maria marion martha mary matthew maureen max megan michael
    michelle mick mike mohammed nadia nancy naomi natalie neil nicholas nick nicola nigel noah
    nora oliver olivia omar orson oscar pamela patricia patrick paul pauline peter philip phoebe
    priya rachel ralph rebecca richard rita rob robert robin roger ron rosa rose roy ruth ryan
    sally sam samantha samuel sandra sara sarah sean sharon sheila simon sophie stephanie
    stephen steve steven stuart sue susan suzanne sylvia teresa thomas tim tina toby tom tony
    tracey valerie vera victoria vincent wendy will william yasmin zoe
    """
)
"""Before a surname: first names that many people have, known even where a sentence starts."""

QUARTERS = word_set(
    """
    north south east west northern southern eastern western central greater inner outer old
    upper lower mid great visit
    """
)
"""Capitalised words that may stand before a place's name without making a person of it."""

DETERMINERS = word_set(
    """
    the a an this that its our their every each no my his her any
    """
)

BODIES = word_set(
    """
    council city town borough county hospital infirmary university college station crown
    magistrates magistrates' docks dock harbour port market cathedral library museum prison
    works branch tenants residents united rovers wanderers council's academy airport bus buses
    half-marathon mp mps guildhall
    """
)
"""After a place's name: a body or a thing that is there."""

ROADS = word_set(
    """
    road street lane avenue terrace way close drive court gardens house
    """
)
"""After a place's name: a road that leads there, from anywhere."""

FOREIGN = word_set(
    """
    massachusetts australia canada ontario virginia alabama texas ohio california zealand scotia
    jamaica germany delaware pennsylvania connecticut maine queensland
    """
)
"""After a place's name and a comma: another place of that name."""
