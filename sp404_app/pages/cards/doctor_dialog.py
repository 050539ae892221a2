"""The check of a project: problems, one click to mend each, and the size of each bank."""

import reflex as rx

from sp404_app.components.brand import style_sheet
from sp404_app.components.menus import modal
from sp404_app.state.cards.doctor import BankBar, DoctorState, ProblemGroup, ProblemRow

VIEW = DoctorState.view


def doctor_dialog() -> rx.Component:
    """The dialog."""
    return rx.cond(
        DoctorState.is_open,
        modal(
            style_sheet("/cards.css"),
            rx.el.div(
                rx.el.header(
                    rx.el.h2("Check"),
                    rx.el.span(class_name="grow"),
                    rx.el.button(
                        "×",
                        type="button",
                        class_name="icon-button",
                        aria_label="Close",
                        on_click=DoctorState.close,
                        data_testid="close-check",
                    ),
                    class_name="row",
                ),
                rx.el.p(
                    VIEW.summary,
                    class_name=rx.cond(VIEW.is_well, "check-summary well", "check-summary"),
                    role="status",
                    data_testid="check-summary",
                ),
                rx.cond(
                    DoctorState.mended != "",
                    rx.el.p(
                        rx.el.span(DoctorState.mended, class_name="grow"),
                        rx.el.button(
                            "Undo",
                            type="button",
                            class_name="button small",
                            on_click=DoctorState.undo_fix,
                            data_testid="undo-fix",
                        ),
                        class_name="notice ok row",
                    ),
                ),
                rx.el.div(
                    rx.foreach(VIEW.groups, problem_group),
                    class_name="check-groups",
                ),
                rx.el.section(
                    rx.el.h3(
                        "Size ",
                        rx.el.span(f"{VIEW.size} of {VIEW.capacity}", class_name="mono muted"),
                    ),
                    rx.el.ul(rx.foreach(VIEW.banks, bank_bar), class_name="bank-bars"),
                ),
                class_name="check-dialog",
            ),
            label="Check",
            test_id="check-dialog",
            on_close=DoctorState.close,
        ),
    )


def problem_group(group: ProblemGroup) -> rx.Component:
    """Problems of one kind, with a button that mends all if it can."""
    return rx.el.section(
        rx.el.header(
            rx.el.h3(group.title, rx.el.span(group.count, class_name="mono muted")),
            rx.cond(
                group.can_fix,
                rx.el.button(
                    "Fix all",
                    type="button",
                    class_name="button small",
                    on_click=DoctorState.fix(group.kind),
                    data_testid="fix-all",
                ),
            ),
            class_name="row",
        ),
        rx.el.ul(rx.foreach(group.rows, problem_row)),
        class_name=rx.cond(group.is_notice, "problem-group notice-group", "problem-group"),
        custom_attrs={"data-kind": group.kind},
        key=group.kind,
    )


def problem_row(problem: ProblemRow) -> rx.Component:
    """One problem, its pad, and the click that mends it."""
    return rx.el.li(
        rx.cond(
            problem.key != "",
            rx.el.button(
                problem.key,
                type="button",
                class_name="chip mono",
                aria_label=f"Show pad {problem.key}",
                on_click=DoctorState.show_pad(problem.key),
                data_testid="problem-pad",
            ),
        ),
        rx.el.span(problem.what, class_name="grow"),
        rx.cond(
            problem.fix != "",
            rx.el.button(
                problem.fix,
                type="button",
                class_name="button small",
                on_click=DoctorState.fix(problem.id),
                data_testid="fix",
            ),
        ),
        class_name="problem",
        key=problem.id,
    )


def bank_bar(bank: BankBar) -> rx.Component:
    """The size of a bank as a bar in its colour."""
    return rx.el.li(
        rx.el.span(bank.letter, class_name="mono"),
        rx.el.span(
            rx.el.span(style={"width": f"{bank.share}%", "background": bank.colour}),
            class_name="bar",
        ),
        rx.el.span(bank.size, class_name="mono muted"),
        title=f"Bank {bank.letter}: {bank.pads}",
        class_name="bank-size",
        key=bank.letter,
    )
