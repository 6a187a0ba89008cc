"""What the shop's agents say, and what surrounds a customer's question."""

from collections.abc import Mapping
from typing import Final

GREETINGS: Final = (
    "hi",
    "Hello",
    "hi there",
    "good morning",
    "Hey",
    "hello, anyone there?",
    "Good evening",
)
OPENERS: Final = (
    "Hi, ",
    "hello, ",
    "quick question: ",
    "sorry, ",
    "hey ",
    "good morning, ",
    "listen, ",
)
CLOSERS: Final = (
    " thanks",
    " please help",
    " thank you!",
    " please",
    " asap",
    " cheers",
    " I'm waiting",
)

WELCOMES: Final = (
    "Hello, this is Larkspur Goods. How can I help?",
    "Hi! What can I do for you today?",
    "Good day, you are chatting with the customer team.",
    "Welcome to Larkspur Goods. Tell me what it is about.",
)
ASKS: Final = (
    "Could you give me the order number, please?",
    "Which order is it about?",
    "Can you tell me a little more?",
    "Of course. What is the name on the order?",
    "I see. Which product do you mean?",
)
ANSWERS: Final = (
    "{number}", "it's {number}", "the {product}", "order {number}, from {day}", "the {colour} one",
    "I bought it on {day}", "number {number}, same name as here", "{number} and the {product}",
)  # fmt: skip
NUDGES: Final = (
    "hello??", "and?", "are you still there", "any answer yet?", "so what now", "ok, what do I do",
)  # fmt: skip
WAITS: Final = (
    "One moment, please.",
    "Let me have a look.",
    "I am checking this for you.",
    "Thank you for waiting.",
)

# Said after the question: a recorded dialogue knows it, a live one does not.
OUTCOMES: Final[Mapping[str, tuple[str, ...]]] = {
    "track_order": (
        "It left our warehouse and is with the courier.",
        "The parcel should reach you tomorrow.",
    ),
    "change_order": ("I have changed the order for you.", "The order is cancelled."),
    "return_refund": ("I have mailed you a return label.", "The refund takes five working days."),
    "payment_problem": ("The second charge will be reversed.", "Please try another card."),
    "product_question": ("It is made of oiled oak.", "Yes, it is in stock."),
    "promotion": ("The code is valid until Sunday.", "You have 240 points."),
    "complaint": ("I am very sorry about this.", "We will send a new one at once."),
    "other": ("I am afraid I cannot help with that.", "Have a nice day!"),
}

# The words only point at a screenshot; the screenshot decides.
POINTING: Final = (
    "what does this mean? <image>", "<image> look at this", "can you see this? <image>",
    "this is what I see <image>", "<image> what should I do", "see the screenshot <image> what now",
    "<image> is that normal?", "and here? <image>",
)  # fmt: skip
# Put before an intent's phrase: the words decide, the screenshot goes with them.
SHOWING: Final = ("<image> ", "here: <image> ", "see the picture <image> ", "<image>\n")
