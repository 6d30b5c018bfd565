"""Lists by another author: a fixed file, written by hand, one list a topic of the studies.

They are what a person might answer to the same request, without looking at the model's lists: plain
names, no repeats, of different lengths. A topic of a study that is not here is left out.
"""

from __future__ import annotations

OTHER_LISTS: dict[str, tuple[str, ...]] = {
    "City Names": ("Lisbon", "Osaka", "Nairobi", "Montreal", "Prague", "Valparaíso", "Hanoi"),
    "Countries": ("Portugal", "Kenya", "Vietnam", "Chile", "Norway", "Jordan"),
    "Animals": ("Otter", "Elephant", "Hedgehog", "Heron", "Goat", "Octopus", "Bat", "Wolf"),
    "Types of Trees": ("Oak", "Birch", "Larch", "Olive", "Chestnut", "Willow"),
    "Types of Flowers": ("Tulip", "Poppy", "Iris", "Daisy", "Peony", "Marigold", "Lilac"),
    "Fruits": ("Pear", "Apricot", "Fig", "Blackberry", "Melon", "Plum", "Quince"),
    "Vegetables": ("Leek", "Carrot", "Spinach", "Aubergine", "Radish", "Fennel"),
    "Car Brands": ("Volvo", "Fiat", "Mazda", "Škoda", "Ford", "Peugeot", "Subaru"),
    "Sports": ("Rowing", "Handball", "Judo", "Fencing", "Rugby", "Climbing", "Table tennis"),
    "Rivers": ("Danube", "Mekong", "Orinoco", "Volga", "Niger", "Elbe"),
    "Mountains": ("Matterhorn", "Kilimanjaro", "Aconcagua", "Fuji", "Olympus", "Elbrus"),
    "Ocean": ("Pacific", "Atlantic", "Indian", "Southern", "Arctic"),
    "Inventions": ("Compass", "Printing press", "Zip", "Telescope", "Vaccine", "Bicycle"),
    "Languages": ("Portuguese", "Swahili", "Welsh", "Bengali", "Greek", "Quechua", "Turkish"),
    "Capital Cities": ("Oslo", "Lima", "Ottawa", "Nairobi", "Canberra", "Vienna", "Seoul"),
    "Movies": ("Metropolis", "Casablanca", "Alien", "Amélie", "Seven Samurai", "Jaws"),
    "Books": ("Middlemarch", "Dracula", "Beloved", "The Trial", "Emma", "Invisible Cities"),
    "TV Shows": ("The Wire", "Fawlty Towers", "Borgen", "Lost", "Columbo", "Twin Peaks"),
    "Famous Scientists": (
        "Marie Curie",
        "Johannes Kepler",
        "Rosalind Franklin",
        "Niels Bohr",
        "Lise Meitner",
    ),
    "Famous Writers": (
        "Virginia Woolf",
        "Anton Chekhov",
        "Gabriel García Márquez",
        "Toni Morrison",
        "Franz Kafka",
        "Jane Austen",
    ),
    "Video Games": ("Tetris", "Myst", "Portal", "Celeste", "Half-Life", "Civilization", "Doom"),
    "Companies": ("Siemens", "Nintendo", "Unilever", "Toyota", "Philips", "Nokia"),
    "Colors": ("Green", "Ochre", "Violet", "White", "Turquoise", "Crimson"),
}
