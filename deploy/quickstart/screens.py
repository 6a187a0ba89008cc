"""What a screenshot of the shop says: titles, rows and buttons of each kind of page."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from deploy.quickstart.draws import Draws
from deploy.quickstart.page import Block, Page
from deploy.quickstart.phrases import SLOTS

TITLES: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "order_page": (
        ("Order details", "Your order", "Order summary"),
        ("My purchases", "Purchase", "Thank you!"),
    ),
    "tracking_page": (
        ("Tracking", "Track your parcel", "Delivery status"),
        ("Where it is now", "Shipment", "Parcel"),
    ),
    "payment_page": (
        ("Payment", "Checkout", "Pay for your order"),
        ("Almost done", "Secure step", "Last step"),
    ),
    "chat_screenshot": (
        ("Live chat", "Larkspur chat", "Chat with us"),
        ("Mia", "Neighbours", "Larkspur team"),
    ),
    "refund_form": (
        ("Refund request", "Return request", "Returns"),
        ("Send it back", "Not happy?", "Give it back"),
    ),
}


def _title(text: str) -> Block:
    return Block(kind="title", text=text)


def _titled(scene: str, draws: Draws, *, rare: bool) -> Block:
    """The page's title in common or in rare wording."""
    return _title(draws.pick(TITLES[scene][int(rare)]))


def _row(left: str, right: str) -> Block:
    return Block(kind="row", text=left, right=right)


def _product(draws: Draws) -> str:
    return draws.pick(SLOTS["product"]).capitalize()


def _some(draws: Draws, blocks: Sequence[Block], low: int, high: int) -> list[Block]:
    """Some of the blocks, in a drawn order."""
    return draws.order(blocks)[: draws.between(low, high)]


def _borrowed(draws: Draws) -> list[Block]:
    """What any page of the shop may quote of another."""
    quotes = (
        _row("Order total", draws.pick(SLOTS["amount"])),
        _row("Expected delivery", draws.pick(SLOTS["day"])),
        _row("Order number", draws.pick(SLOTS["number"])),
        _row("Your order", f"{draws.between(1, 4)} items"),
        _row("Payment", draws.pick(("card", "accepted", "open"))),
        Block(kind="link", text="Customer reviews"),
        Block(kind="link", text="Returns"),
        Block(kind="link", text="Live chat"),
    )
    return _some(draws, quotes, 1, 2) if draws.chance(0.4) else []


def order_page(draws: Draws, *, rare: bool) -> Page:
    number, amount = draws.pick(SLOTS["number"]), draws.pick(SLOTS["amount"])
    states = ("Preparing", "Sent", "Confirmed", "Packed", "Cancelled")
    rows = [
        _row("Order number", number),
        _row("Placed on", f"{draws.between(1, 28)} May"),
        _row("Total", amount),
        _row("Status", draws.pick(states)),
        _row("Ship to", draws.pick(SLOTS["town"])),
        _row("Paid with", "card"),
    ]
    buttons = [
        Block(kind="button", text=text)
        for text in ("Buy again", "Track parcel", "Request a refund", "Need help?", "Cancel order")
    ]
    items = [_row(_product(draws), f"x{draws.between(1, 3)}") for _ in range(draws.between(1, 2))]
    head = [_titled("order_page", draws, rare=rare), *items, *_some(draws, rows, 2, 4)]
    blocks = [*head, *_borrowed(draws), *_some(draws, buttons, 1, 2)]
    return Page(scene="order_page", blocks=tuple(blocks), intent=None)


def tracking_page(draws: Draws, *, rare: bool) -> Page:
    town = draws.pick(SLOTS["town"])
    stops = [
        _row("Out for delivery", "08:12"),
        _row(f"At the depot {town}", "21:40"),
        _row("In transit", "16:05"),
        _row("Handed to courier", "11:31"),
        _row("Label printed", "09:02"),
        _row("Nobody at home", "13:55"),
        _row("Left with neighbour", "14:20"),
    ]
    tails = [
        _row("Courier", draws.pick(("Swift Van", "Parcel Post", "Greenline"))),
        _row("Estimated delivery", draws.pick(SLOTS["day"])),
        _row("Tracking number", f"{draws.between(100, 999)} {draws.between(1000, 9999)}"),
        Block(kind="link", text="Order details"),
        Block(kind="button", text="Change the delivery"),
    ]
    blocks = [
        _titled("tracking_page", draws, rare=rare),
        *_some(draws, stops, 2, 4),
        *_some(draws, tails, 0, 2),
        *_borrowed(draws),
    ]
    return Page(scene="tracking_page", blocks=tuple(blocks), intent="track_order")


def payment_page(draws: Draws, *, rare: bool) -> Page:
    amount = draws.pick(SLOTS["amount"])
    failed = draws.chance(0.55)
    outcome = ("Payment declined", "Payment failed", "Your bank said no", "Could not take payment")
    fields = [
        Block(kind="field", text="Card number"),
        Block(kind="field", text="Security code"),
        Block(kind="field", text="Name on card"),
        _row("Payment method", draws.pick(("card", "bank transfer", "wallet"))),
        _row("Amount due", amount),
        _row("Delivery", "$3.90"),
        Block(kind="text", text="Billing address"),
    ]
    head = [Block(kind="heading", text=draws.pick(outcome))] if failed else []
    button = Block(
        kind="button", text=draws.pick(("Pay now", f"Pay {amount}", "Try again", "Continue"))
    )
    blocks = [
        _titled("payment_page", draws, rare=rare),
        *head,
        *_some(draws, fields, 2, 4),
        *_borrowed(draws),
        button,
    ]
    return Page(
        scene="payment_page", blocks=tuple(blocks), intent="payment_problem" if failed else None
    )


def product_page(draws: Draws, *, rare: bool) -> Page:
    buttons = (
        ("Get it now", "Buy it", "Notify me")
        if rare
        else ("Add to basket", "Add to cart", "Add to basket")
    )
    facts = [
        Block(kind="text", text=draws.pick(("In stock", "Only 3 left", "Out of stock"))),
        Block(kind="text", text="Choose a colour"),
        Block(kind="text", text=f"{draws.between(4, 480)} customer reviews"),
        Block(kind="text", text="Free delivery over $50"),
        _row("Material", draws.pick(("oak", "linen", "clay", "copper"))),
        _row("Size", draws.pick(SLOTS["size"])),
        Block(kind="link", text="You may also like"),
        Block(kind="text", text="30 days to return it"),
    ]
    price = Block(kind="heading", text=draws.pick(SLOTS["amount"]))
    head = [
        Block(kind="picture"),
        _title(f"{_product(draws)}, {draws.pick(SLOTS['colour'])}"),
        price,
    ]
    blocks = [
        *head,
        *_some(draws, facts, 1, 4),
        *_borrowed(draws),
        Block(kind="button", text=draws.pick(buttons)),
    ]
    return Page(scene="product_page", blocks=tuple(blocks), intent="product_question")


def chat_screenshot(draws: Draws, *, rare: bool) -> Page:
    talk = [
        ("ours", "Where is my order?"),
        ("theirs", "It is out for delivery."),
        ("ours", "I want a refund"),
        ("theirs", "Please fill in the return request."),
        ("theirs", "Which order number?"),
        ("ours", "The card was declined"),
        ("theirs", "Your order was sent on Friday."),
        ("ours", "Is it in stock?"),
        ("theirs", "Sorry about that!"),
        ("ours", "Thank you"),
    ]
    bubbles = [Block(kind="ours" if side == "ours" else "theirs", text=text) for side, text in talk]
    feet = (
        ("Message", "Say something", "Aa")
        if rare
        else ("Type a message", "Write a reply", "Type a message")
    )
    blocks = [
        _titled("chat_screenshot", draws, rare=rare),
        *_some(draws, bubbles, 3, 5),
        Block(kind="field", text=draws.pick(feet)),
    ]
    return Page(scene="chat_screenshot", blocks=tuple(blocks), intent=None)


def refund_form(draws: Draws, *, rare: bool) -> Page:
    fields = [
        Block(kind="field", text="Reason for return"),
        _row("Refund amount", draws.pick(SLOTS["amount"])),
        _row("Refund to", draws.pick(("card", "voucher"))),
        Block(kind="text", text="Items to return"),
        Block(kind="field", text="Tell us what is wrong"),
        _row("Order number", draws.pick(SLOTS["number"])),
        _row("Payment method", "card"),
        Block(kind="link", text="Print return label"),
        Block(kind="text", text="Drop it at a parcel shop"),
    ]
    button = Block(kind="button", text=draws.pick(("Submit", "Send request", "Next", "Confirm")))
    blocks = [
        _titled("refund_form", draws, rare=rare),
        _row(_product(draws), "x1"),
        *_some(draws, fields, 2, 4),
        *_borrowed(draws),
        button,
    ]
    return Page(scene="refund_form", blocks=tuple(blocks), intent="return_refund")


class Maker(Protocol):
    """Draws the content of one kind of page; `rare` takes the wording that only live shows."""

    def __call__(self, draws: Draws, *, rare: bool) -> Page: ...


PAGES: Final[Mapping[str, Maker]] = {
    "order_page": order_page,
    "tracking_page": tracking_page,
    "payment_page": payment_page,
    "product_page": product_page,
    "chat_screenshot": chat_screenshot,
    "refund_form": refund_form,
}
