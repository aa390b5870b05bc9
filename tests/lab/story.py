"""What a story is, and the list of them."""

from dataclasses import dataclass, field

STORIES = {}

# Where a story may be captured: vantage -> (place, interface).
POINTS = {
    "near client": ("edge", "lan"),
    "middle": ("r1", "up"),
    "near server": ("r3", "up"),
}


@dataclass
class Story:
    """One recording: what the network is like, what happens, what is to be found in it."""

    name: str
    text: str
    visit: object
    kind: str = "interfered"
    vantage: str = "near client"
    scenario: dict = field(default_factory=dict)
    near: dict = field(default_factory=dict)
    far: dict = field(default_factory=dict)
    files: tuple = ("capture.pcap",)
    confidence: object = "confirmed"
    hosts: dict = field(default_factory=dict)
    services: dict = field(default_factory=dict)
    vantages: dict = field(default_factory=dict)
    page_title: str = ""
    page_status: int = 0
    interface: str = ""
    nanoseconds: bool = False
    pcapng: dict = field(default_factory=dict)
    edit: object = None
    split: object = None
    gateway: bool = False
    impostor: str = ""  # the name for which somebody else answers whole connections
    shows: tuple = ()  # Wireshark display filters that must each match a frame
    never: tuple = ()  # and such as must match none

    def confidence_for(self, host):
        """The least confidence that a finding about `host` must have."""
        if isinstance(self.confidence, dict):
            return self.confidence[host]
        return self.confidence

    def point(self):
        """(namespace, interface) of the capture."""
        place, interface = POINTS[self.vantage]
        return place, self.interface or interface


def story(**settings):
    """Register a function as a story: its name is the folder, its docstring the README's text."""
    def register(visit):
        name = settings.pop("name", visit.__name__.replace("_", "-"))
        STORIES[name] = Story(name, visit.__doc__, visit, **settings)
        return visit
    return register


def innocent(**settings):
    """A story in which nobody interferes."""
    return story(kind="innocent", **settings)
