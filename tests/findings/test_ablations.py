from seisbook.findings import ablations
from seisbook.studies import ablations as ablations_study


def test_ablations_are_tabulated_in_their_order():
    summary = {"epicentral_km": {"median": 2.0}, "depth_km": {"median": 1.0}, "magnitude": {"rmse": 0.1}}
    found = [
        {"trial": one, "result": {"train_s": 3.0, "summary": summary}}
        for one in ablations_study.trials("colombia", "bulletin", "paper")
    ]
    table = ablations.tabulate(found)
    assert table.index.tolist()[0] == ("study", "study recipe")
    assert ("whole", "whole recipe") in table.index
    assert (table["epicentre (km)"] == 2).all()
    assert len(table) == len(ablations_study.MODEL_ARMS) + len(ablations_study.TRAINING_ARMS)


def test_quotes_are_ratios_to_the_recipe_that_an_arm_changes():
    errors = {"whole recipe": 4.0, "no station dropout": 5.0, "study recipe": 8.0, "static graph": 6.0}
    found = [
        {
            "trial": {"arm": arm},
            "result": {
                "train_s": 1.0,
                "summary": {"epicentral_km": {"median": km}, "depth_km": {"median": 1.0}, "magnitude": {"rmse": 0.1}},
            },
        }
        for arm, km in {**errors, "no edges": 10.0}.items()
    ]
    quotes = ablations.quoted({"atoll": ablations.tabulate(found)})
    assert quotes["ablations-atoll-no-station-dropout"] == "1.25"
    assert quotes["ablations-atoll-study-over-whole"] == "2.00"
